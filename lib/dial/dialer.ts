/** Connections to backends, of every kind, for both lanes. */
import {
  connect,
  isIP,
  isIPv6,
  type LookupFunction,
  type OnReadOpts,
  type Socket,
  type TcpNetConnectOpts,
} from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { isHttp2, isTls, serverOf } from '../core/backend.ts';
import type { BackendTls } from '../core/backend-tls.ts';
import type { Backend } from '../core/types.ts';
import type { Names } from './names.ts';
import { TlsSessions } from './sessions.ts';

/** The event of a socket from which on it can be used. */
export function connectedEvent(backend: Backend): 'connect' | 'secureConnect' {
  return isTls(backend) ? 'secureConnect' : 'connect';
}

/** How long an address is waited for before the next one is tried, ms (RFC 8305 §5). Node gives the earlier one up then. */
const ATTEMPT_MS = 250;

export class Dialer {
  readonly #tls: BackendTls;
  readonly #names: Pick<Names, 'find' | 'shun'>;
  readonly #sessions = new TlsSessions();
  #context: SecureContext | null = null;

  constructor(tls: BackendTls, names: Pick<Names, 'find' | 'shun'>) {
    this.#tls = tls;
    this.#names = names;
  }

  /**
   * A socket that is on its way to a backend; how that ends is told by its events.
   * @param onread where bytes are to be read to; not taken for TLS. Without, they come by `data` events.
   */
  dial(backend: Backend, onread: OnReadOpts | null = null): Socket {
    const { hostname: host, port, socketPath } = backend;
    const reading = onread === null ? {} : { onread };
    if (socketPath !== null) return connect({ path: socketPath, ...reading });
    if (isTls(backend)) return this.#dialTls(backend);
    if (isIP(host) !== 0) return connect({ host, port, noDelay: true, ...reading });
    return this.#watched(connect({ ...this.#place(host, port), noDelay: true, ...reading }));
  }

  #dialTls(backend: Backend): Socket {
    const { hostname: host, port } = backend;
    const { verify, ca } = this.#tls;
    // Made once, and late: reading all of Node's authorities takes a while.
    this.#context ??= createSecureContext(ca.length > 0 ? { ca: [...ca] } : {});
    const server = serverOf(backend);
    const session = this.#sessions.of(server);
    const socket = connectTls({
      ...this.#place(host, port),
      // As Node's agents do: a certificate must be valid for the backend's name, and an address has no name to ask for.
      servername: isIP(host) === 0 ? host : '',
      ALPNProtocols: [isHttp2(backend) ? 'h2' : 'http/1.1'],
      secureContext: this.#context,
      rejectUnauthorized: verify,
      ...(session && { session }),
    });
    socket.on('session', (ticket) => this.#sessions.keep(server, ticket));
    socket.once('error', () => this.#sessions.forget(server));
    return this.#watched(socket.setNoDelay(true));
  }

  #place(host: string, port: number): TcpNetConnectOpts {
    return { host, port, lookup: this.#lookup, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: ATTEMPT_MS };
  }

  #watched<S extends Socket>(socket: S): S {
    const shun = (address: string): void => this.#names.shun(address);
    return socket.on('connectionAttemptFailed', shun).on('connectionAttemptTimeout', shun);
  }

  readonly #lookup: LookupFunction = (name, _options, callback) => {
    void this.#answer(name, callback);
  };

  async #answer(name: string, callback: Parameters<LookupFunction>[2]): Promise<void> {
    let addresses: readonly string[];
    try {
      addresses = await this.#names.find(name);
    } catch (error) {
      callback(error as Error, []);
      return;
    }
    callback(
      null,
      addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 })),
    );
  }
}
