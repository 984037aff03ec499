import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface BreakerOptions {
  /** Where its connections go on to. */
  readonly port: number;
  /** How many bytes a connection lasts at most, in both directions together. */
  readonly bytes: number;
  /** How many of them last as long as they please. */
  readonly spared: number;
  readonly random: () => number;
}

/** What lies between two sides, and breaks connections at random points, also within frames and handshakes. @returns its port */
export async function startBreaker(t: TestContext, { port, bytes, spared, random }: BreakerOptions): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const both = [near, far];
    const isReset = random() < 0.7;
    let left = random() < spared ? Infinity : Math.floor(random() * bytes);
    const leave = (): void => {
      for (const socket of both) {
        if (isReset) socket.resetAndDestroy();
        else socket.destroy();
      }
    };
    const join = (from: Socket, to: Socket): void => {
      sockets.add(from);
      from.on('data', (chunk) => {
        const isBroken = chunk.length > left;
        const part = isBroken ? chunk.subarray(0, left) : chunk;
        left -= part.length;
        if (!to.write(part)) from.pause();
        if (isBroken) setImmediate(leave);
      });
      from.on('drain', () => to.resume());
      from.on('end', () => to.end()).on('error', leave);
      from.once('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    };
    join(near, far);
    join(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}
