/** Connections to backends, of every kind, for both lanes. */
import { isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { isHttp2, isTls, serverOf } from '../../core/routing/backend.ts';
import type { BackendTls } from '../../core/routing/backend-tls.ts';
import type { Backend } from '../../core/routing/types.ts';
import { isOutOfDescriptors } from '../../core/health/verdict.ts';
import { BackendSocket } from './backend-socket.ts';
import type { Caller, Dialing } from './dialing.ts';
import type { Names } from './names.ts';
import { Race } from './race.ts';
import { TlsSessions } from './tls-sessions.ts';

type DialerNames = Pick<Names, 'find' | 'hold' | 'shun'>;

export class Dialer {
  readonly #tls: BackendTls;
  readonly #names: DialerNames;
  readonly #onShortage: () => void;
  readonly #sessions = new TlsSessions();
  #context: SecureContext | null = null;

  /** @param onShortage called when there is no file descriptor left, before one more try: closes idle connections */
  constructor(tls: BackendTls, names: DialerNames, onShortage: () => void = () => {}) {
    this.#tls = tls;
    this.#names = names;
    this.#onShortage = onShortage;
  }

  /**
   * Connects to a backend, without a time limit: the caller has one, and cancels.
   * @param onread the buffer for reads; ignored with TLS. Without it, the socket emits `data`
   */
  dial(backend: Backend, caller: Caller, onread: OnReadOpts | null = null): Dialing {
    const parts = { names: this.#names, secure: this.#secure, onShortage: this.#onShortage };
    return new Call(backend, caller, isTls(backend) ? null : onread, parts);
  }

  readonly #secure = (backend: Backend, socket: Socket): Socket => {
    const { hostname: host } = backend;
    const { verify, ca } = this.#tls;
    // Made once, on first use: parsing all of Node's authorities takes a while.
    this.#context ??= createSecureContext(ca.length > 0 ? { ca: [...ca] } : {});
    const server = serverOf(backend);
    const session = this.#sessions.of(server);
    const secure = connectTls({
      socket,
      // The name that the certificate must have.
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

/** Shared by all calls. */
interface CallParts {
  readonly names: DialerNames;
  readonly secure: (backend: Backend, socket: Socket) => Socket;
  readonly onShortage: () => void;
}

/** One connection being made: looks the name up, tries its addresses, and begins TLS. */
class Call implements Dialing {
  readonly #backend: Backend;
  readonly #caller: Caller;
  readonly #onread: OnReadOpts | null;
  readonly #parts: CallParts;
  #race: Race | null = null;
  /** Set during the TLS handshake. */
  #secured: Socket | null = null;
  #isOver = false;
  #hasFreed = false;

  constructor(backend: Backend, caller: Caller, onread: OnReadOpts | null, parts: CallParts) {
    this.#backend = backend;
    this.#caller = caller;
    this.#onread = onread;
    this.#parts = parts;
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
      addresses = await this.#parts.names.find(name);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (!this.#isOver) this.#connect(addresses, true);
  }

  #connect(addresses: readonly string[], isNamed = false): void {
    this.#race = new Race(addresses, {
      open: (address) => this.#open(address),
      onWon: (socket, address) => {
        if (isNamed) this.#hold(socket, address);
        this.#onConnected(socket);
      },
      onLost: (cause) => this.#onLost(cause, addresses, isNamed),
      onLoser: (address) => {
        if (isNamed) this.#parts.names.shun(address);
      },
    });
  }

  /** Watches the name until the socket has closed. */
  #hold(socket: Socket, address: string): void {
    const onMoved = (): void => {
      // During the TLS handshake nothing was sent: another try uses the new address.
      if (this.#isOver) this.#caller.onMoved?.();
      else socket.destroy(new Error('the name of the backend leads elsewhere now'));
    };
    socket.once('close', this.#parts.names.hold(this.#backend.hostname, address, onMoved));
  }

  #onLost(cause: Error, addresses: readonly string[], isNamed: boolean): void {
    if (this.#hasFreed || !isOutOfDescriptors(cause)) return this.#fail(cause);
    this.#hasFreed = true;
    this.#parts.onShortage();
    // File descriptors are free only after the sockets have closed.
    setImmediate(() => {
      if (!this.#isOver) this.#connect(addresses, isNamed);
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
    const secured = this.#parts.secure(this.#backend, socket);
    this.#secured = secured;
    // The TLS socket reports its errors; this one only needs a listener.
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
    // The call lasts as long as the connection, when its name is watched.
    this.#race = null;
    this.#secured = null;
    this.#caller.onSocket(socket);
  }

  #fail(cause: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#caller.onNoSocket(cause);
  }
}
