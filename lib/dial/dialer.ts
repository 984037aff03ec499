/** Connections to backends, of every kind, for both lanes. */
import { isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { isHttp2, isTls, serverOf } from '../core/backend.ts';
import type { BackendTls } from '../core/backend-tls.ts';
import type { Backend } from '../core/types.ts';
import { BackendSocket } from './backend-socket.ts';
import type { Caller, Dialing } from './dialing.ts';
import type { Names } from './names.ts';
import { Race } from './race.ts';
import { TlsSessions } from './sessions.ts';

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
   * Connects to a backend. There is no limit of time: the caller has one, and calls it off.
   * @param onread where bytes are to be read to; not taken for TLS. Without, they come by `data` events.
   */
  dial(backend: Backend, caller: Caller, onread: OnReadOpts | null = null): Dialing {
    return new Call(backend, caller, isTls(backend) ? null : onread, this.#names, this.#secure);
  }

  readonly #secure = (backend: Backend, socket: Socket): Socket => {
    const { hostname: host } = backend;
    const { verify, ca } = this.#tls;
    // Made once, and late: reading all of Node's authorities takes a while.
    this.#context ??= createSecureContext(ca.length > 0 ? { ca: [...ca] } : {});
    const server = serverOf(backend);
    const session = this.#sessions.of(server);
    const secure = connectTls({
      socket,
      // What the certificate is checked against.
      host,
      // As Node's agents do: a certificate must be valid for the backend's name, and an address has no name to ask for.
      servername: isIP(host) === 0 ? host : '',
      ALPNProtocols: [isHttp2(backend) ? 'h2' : 'http/1.1'],
      secureContext: this.#context,
      rejectUnauthorized: verify,
      ...(session && { session }),
    });
    secure.on('session', (ticket) => this.#sessions.keep(server, ticket));
    secure.once('error', () => this.#sessions.forget(server));
    return secure;
  };
}

/** One connection on its way: the name is looked up, its addresses are tried, TLS is begun. */
class Call implements Dialing {
  readonly #backend: Backend;
  readonly #caller: Caller;
  readonly #onread: OnReadOpts | null;
  readonly #names: Pick<Names, 'find' | 'shun'>;
  readonly #secure: (backend: Backend, socket: Socket) => Socket;
  #race: Race | null = null;
  /** While TLS is being begun. */
  #secured: Socket | null = null;
  #isOver = false;

  constructor(
    backend: Backend,
    caller: Caller,
    onread: OnReadOpts | null,
    names: Pick<Names, 'find' | 'shun'>,
    secure: (backend: Backend, socket: Socket) => Socket,
  ) {
    this.#backend = backend;
    this.#caller = caller;
    this.#onread = onread;
    this.#names = names;
    this.#secure = secure;
    const { hostname, socketPath } = backend;
    if (socketPath !== null || isIP(hostname) !== 0) this.#connect([hostname]);
    else void this.#find(hostname);
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#race?.cancel();
    this.#secured?.destroy();
  }

  /** Never rejects. */
  async #find(name: string): Promise<void> {
    let addresses: readonly string[];
    try {
      addresses = await this.#names.find(name);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (!this.#isOver) this.#connect(addresses, true);
  }

  #connect(addresses: readonly string[], isNamed = false): void {
    this.#race = new Race(addresses, {
      open: (address) => this.#open(address),
      onWon: (socket) => this.#onConnected(socket),
      onLost: (cause) => this.#fail(cause),
      onLoser: (address) => {
        if (isNamed) this.#names.shun(address);
      },
    });
  }

  #open(host: string): Socket {
    const { port, socketPath } = this.#backend;
    const socket = new BackendSocket(this.#onread);
    if (socketPath !== null) return socket.connect({ path: socketPath });
    return socket.setNoDelay(true).connect({ host, port });
  }

  #onConnected(socket: Socket): void {
    if (!isTls(this.#backend)) return this.#succeed(socket);
    const secured = this.#secure(this.#backend, socket);
    this.#secured = secured;
    // Its errors are told by the other one; this one must only not be without a listener.
    socket.on('error', () => {});
    const onError = (cause: Error): void => this.#fail(cause);
    const onClose = (): void => this.#fail(new Error('the connection was closed before TLS was there'));
    secured.on('error', onError).once('close', onClose);
    secured.once('secureConnect', () => {
      if (this.#isOver) return;
      secured.off('error', onError).off('close', onClose);
      this.#succeed(secured);
    });
  }

  #succeed(socket: Socket): void {
    this.#isOver = true;
    this.#caller.onSocket(socket);
  }

  #fail(cause: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#caller.onNoSocket(cause);
  }
}
