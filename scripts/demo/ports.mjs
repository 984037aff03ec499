/** Which port to take. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** The wanted port if nobody has it, else any free one. 0 is any free one. */
export async function freePort(wanted) {
  if (wanted !== 0 && (await isFree(wanted))) return wanted;
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
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
