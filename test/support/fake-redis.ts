import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Owner } from './redis.ts';

/** A server that speaks just enough of the protocol to misbehave on purpose. */
export interface FakeRedis {
  readonly port: number;
  /** The raw reply to a command (name in lower case), or null to cut the connection. May be replaced. */
  answer: (name: string, args: readonly string[]) => string | null;
}

/** Starts it; it ends with its owner. */
export async function fakeRedis(owner: Owner, answer: FakeRedis['answer']): Promise<FakeRedis> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (let command = take(); command !== null; command = take()) {
        const [name = '', ...args] = command;
        const reply = fake.answer(name.toLowerCase(), args);
        if (reply === null) socket.resetAndDestroy();
        else socket.write(reply);
      }
    });
    const take = (): string[] | null => {
      const parts: string[] = [];
      let at = text.indexOf('\r\n') + 2;
      if (at < 2) return null;
      for (let left = Number(text.slice(1, at - 2)); left > 0; left--) {
        const end = text.indexOf('\r\n', at);
        if (end < 0) return null;
        const length = Number(text.slice(at + 1, end));
        if (text.length < end + 2 + length + 2) return null;
        parts.push(text.slice(end + 2, end + 2 + length));
        at = end + 2 + length + 2;
      }
      text = text.slice(at);
      return parts;
    };
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  owner.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  const fake: FakeRedis = { port, answer };
  return fake;
}
