/** 2,000 WebSockets, which stay open, each with a message now and then. */
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { siteHost } from '../neighbours/tenants.ts';
import { ADDRESSES, type Attack } from './attack.ts';
import { paced } from './paced.ts';

const COUNT = 2_000;
/** Many times what A may send, and not so much that opening them alone fills a core. */
const OPENED_PER_SECOND = 500;
const MESSAGES_PER_SECOND = 200;

export const websockets: Attack = {
  name: 'websockets',
  label: '2,000 WebSockets',
  async run({ port, seconds }) {
    const all = new Set<WebSocket>();
    const open: WebSocket[] = [];
    const openingSeconds = Math.min(seconds, COUNT / OPENED_PER_SECOND);
    let begun = 0;
    await paced(
      OPENED_PER_SECOND,
      openingSeconds,
      () => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
          headers: { host: siteHost('websockets') },
          localAddress: ADDRESSES[begun++ % ADDRESSES.length],
          perMessageDeflate: false,
        });
        all.add(socket);
        socket.once('open', () => open.push(socket));
        socket.once('close', () => all.delete(socket));
        // Refused ones, which are not opened again.
        socket.on('error', () => {});
      },
      COUNT,
    );
    let next = 0;
    await paced(MESSAGES_PER_SECOND, seconds - openingSeconds, () => {
      const socket = open[next++ % open.length];
      if (socket?.readyState === WebSocket.OPEN) socket.send('hello');
    });
    for (const socket of all) socket.terminate();
    await delay(0);
    return begun;
  },
};
