/** Connections to backends, of every kind, for both lanes. */
import { connect, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { serverOf } from '../core/backend.ts';
import type { BackendTls } from '../core/backend-tls.ts';
import type { Backend } from '../core/types.ts';
import { TlsSessions } from './sessions.ts';

/** The event of a socket from which on it can be used. */
export function connectedEvent({ protocol }: Backend): 'connect' | 'secureConnect' {
  return protocol === 'https:' ? 'secureConnect' : 'connect';
}

export class Dialer {
  readonly #tls: BackendTls;
  readonly #sessions = new TlsSessions();
  #context: SecureContext | null = null;

  constructor(tls: BackendTls) {
    this.#tls = tls;
  }

  /**
   * A socket that is on its way to a backend; how that ends is told by its events.
   * @param onread where bytes are to be read to; not taken for TLS. Without, they come by `data` events.
   */
  dial(backend: Backend, onread: OnReadOpts | null = null): Socket {
    const { protocol, hostname: host, port, socketPath } = backend;
    const reading = onread === null ? {} : { onread };
    if (socketPath !== null) return connect({ path: socketPath, ...reading });
    if (protocol === 'http:') return connect({ host, port, noDelay: true, ...reading });
    return this.#dialTls(backend);
  }

  #dialTls(backend: Backend): Socket {
    const { hostname: host, port } = backend;
    const { verify, ca } = this.#tls;
    // Made once, and late: reading all of Node's authorities takes a while.
    this.#context ??= createSecureContext(ca.length > 0 ? { ca: [...ca] } : {});
    const server = serverOf(backend);
    const session = this.#sessions.of(server);
    const socket = connectTls({
      host,
      port,
      // As Node's agents do: a certificate must be valid for the backend's name, and an address has no name to ask for.
      servername: isIP(host) === 0 ? host : '',
      ALPNProtocols: ['http/1.1'],
      secureContext: this.#context,
      rejectUnauthorized: verify,
      ...(session && { session }),
    });
    socket.on('session', (ticket) => this.#sessions.keep(server, ticket));
    socket.once('error', () => this.#sessions.forget(server));
    return socket.setNoDelay(true);
  }
}
