/** Ports for servers that must know theirs before they listen, or have it again. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the kernel's range for outgoing connections: a client that dials a closed port of that range again and again
 * ends up connected to itself, and then the server cannot have its port back. A Redis Cluster's servers listen on a
 * port 10,000 higher, too: what begins at `to` is theirs.
 */
const ORDINARY = { from: 12_000, to: 22_000 };
/** Ports that only root may listen on, above those that are often in use. */
const PRIVILEGED = { from: 660, to: 1_020 };

/** Which share of the ports is this process's, as scripts/test-pool.mjs gives it: `1/3` is the second of three. */
const [share = 0, shares = 1] = (process.env['HIPACHE_TEST_SHARE'] ?? '0/1').split('/').map(Number);

/**
 * Returns a port without a listener. Test files that run at the same time get different ones. @throws when all are taken
 */
export const freePort = picker(ORDINARY);

/** The same, of those below 1024. */
export const privilegedPort = picker(PRIVILEGED);

/** One port after the other, from anywhere in this process's share: what was given is not given again soon. */
function picker({ from, to }: { readonly from: number; readonly to: number }): () => Promise<number> {
  const size = Math.floor((to - from) / shares);
  const first = from + share * size;
  let next = Math.floor(Math.random() * size);
  return async () => {
    for (let attempt = 0; attempt < size; attempt++) {
      const port = first + next;
      next = (next + 1) % size;
      if (await isFree(port)) return port;
    }
    throw new Error(`no free port from ${first} to ${first + size - 1}`);
  };
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
