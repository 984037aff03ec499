import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Owner } from './redis.ts';

/**
 * A way to a server on which answers take their time: each comes as late as `lagMs` says of its connection. They are
 * numbered from 0 on, as they are made. So answers on one connection overtake those on another.
 * @returns its port
 */
export async function startLagging(owner: Owner, port: number, lagMs: (connection: number) => number): Promise<number> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((client) => {
    const connection = connections++;
    const target = connect(port, '127.0.0.1');
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.once('close', () => {
        sockets.delete(socket);
        client.destroy();
        target.destroy();
      });
    }
    client.pipe(target);
    target.on('data', (bytes) => setTimeout(() => client.write(bytes), lagMs(connection)));
  });
  owner.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
