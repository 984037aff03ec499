/** Which port to take. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below every kernel's range for outgoing connections: one of those could take a port before the router has it. */
const SOMEWHERE = { from: 10_000, many: 2_000 };
const LAST_PORT = 65_535;

/** The wanted port if nobody has it, else the next that is free. 0 is any free one. */
export async function freePort(wanted) {
  let port = wanted || SOMEWHERE.from + Math.floor(Math.random() * SOMEWHERE.many);
  while (port > LAST_PORT || !(await isFree(port))) port = port < LAST_PORT ? port + 1 : SOMEWHERE.from;
  return port;
}

/** Also on IPv6: there a browser asks first when it is told "localhost". */
async function isFree(port) {
  for (const address of ['127.0.0.1', '::1']) {
    const server = createServer();
    try {
      server.listen(port, address);
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
    } catch (error) {
      // A machine without IPv6 has nobody there.
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') return false;
    }
  }
  return true;
}
