/** TLS handshakes for names that the router does not serve. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { LIMITS } from '../neighbours/tenants.ts';
import { ADDRESSES, type Attack } from './attack.ts';
import { paced } from './paced.ts';

const MAX_AT_ONCE = 500;

export const handshakes: Attack = {
  name: 'sni',
  label: 'unknown names in TLS (SNI)',
  async run({ tlsPort, seconds }) {
    const open = new Set<TLSSocket>();
    let begun = 0;
    await paced(LIMITS.perSecond, seconds, () => {
      if (open.size >= MAX_AT_ONCE) return;
      const servername = `${randomBytes(8).toString('hex')}.unknown.test`;
      const localAddress = ADDRESSES[begun++ % ADDRESSES.length];
      const socket = connectTls({
        socket: connect({ port: tlsPort, host: '127.0.0.1', localAddress }),
        servername,
        rejectUnauthorized: false,
      });
      open.add(socket);
      // A system that accepts the name has done the work by then.
      socket.once('secureConnect', () => socket.destroy());
      socket.once('error', () => {});
      socket.once('close', () => open.delete(socket));
    });
    for (const socket of open) socket.destroy();
    return begun;
  },
};
