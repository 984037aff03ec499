/** Connections to backends, of every kind, for both lanes. */
import { connect, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Backend } from '../core/types.ts';

/** The event of a socket from which on it can be used. */
export function connectedEvent({ protocol }: Backend): 'connect' | 'secureConnect' {
  return protocol === 'https:' ? 'secureConnect' : 'connect';
}

export class Dialer {
  /**
   * A socket that is on its way to a backend; how that ends is told by its events.
   * @param onread where bytes are to be read to; not taken for TLS. Without, they come by `data` events.
   */
  dial(backend: Backend, onread: OnReadOpts | null = null): Socket {
    const { protocol, hostname: host, port, socketPath } = backend;
    const reading = onread === null ? {} : { onread };
    if (socketPath !== null) return connect({ path: socketPath, ...reading });
    if (protocol === 'http:') return connect({ host, port, noDelay: true, ...reading });
    // As Node's agents do: a certificate must be valid for the backend's name, and an address has no name to ask for.
    const servername = isIP(host) === 0 ? host : '';
    return connectTls({ host, port, servername, ALPNProtocols: ['http/1.1'] }).setNoDelay(true);
  }
}
