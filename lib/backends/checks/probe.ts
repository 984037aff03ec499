/** One check of one backend: a new connection, at most one request, one time limit. */
import type { OnReadOpts, Socket } from 'node:net';
import { type TimeLimits, Timer } from '../../clock/time-limits.ts';
import type { CheckRules } from '../../core/health/check-rules.ts';
import { isHttp2, isTls } from '../../core/routing/backend.ts';
import type { Backend } from '../../core/routing/types.ts';
import type { Dialer } from '../dialing/dialer.ts';
import type { Caller, Dialing } from '../dialing/dialing.ts';
import { judgeAnswer, type Shown } from './answer.ts';
import { Http1Answer, requestText } from './http1-check.ts';
import { askGrpc, askHttp2 } from './http2-check.ts';

/** All checks read into it: Node would take 64 KiB for each. What is kept is copied. */
const SHARED = Buffer.alloc(16_384);

/** What is checked, and how. */
export interface ProbeTarget {
  readonly backend: Backend;
  readonly rules: CheckRules;
  /** The Host field, where the rules say none. */
  readonly host: string;
}

/** The dependencies of a probe. */
export interface ProbeParts {
  readonly dialer: Pick<Dialer, 'dial'>;
  readonly clock: TimeLimits;
}

/** Runs at once. `onShown` is called once, never within the constructor, and not after `cancel`. */
export class Probe implements Caller {
  readonly #target: ProbeTarget;
  readonly #onShown: (shown: Shown) => void;
  readonly #clock: TimeLimits;
  readonly #timer: Timer;
  readonly #dialing: Dialing;
  readonly #answer: Http1Answer;
  #socket: Socket | null = null;
  #isOver = false;

  constructor(target: ProbeTarget, { dialer, clock }: ProbeParts, onShown: (shown: Shown) => void) {
    this.#target = target;
    this.#onShown = onShown;
    this.#clock = clock;
    const { timeoutMs, method, body } = target.rules;
    this.#answer = new Http1Answer(method, body);
    this.#timer = new Timer(() => this.#end({ hasPassed: false, detail: `no result within ${timeoutMs / 1000} s` }));
    clock.set(this.#timer, timeoutMs);
    const backend = dialledFor(target);
    const readsHttp1 = target.rules.kind === 'http' && !isHttp2(backend);
    this.#dialing = dialer.dial(backend, this, readsHttp1 ? this.#reads() : null);
  }

  cancel(): void {
    this.#isOver = true;
    this.#free();
  }

  onSocket(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', ({ message }) => this.#end({ hasPassed: false, detail: message }));
    const { backend, rules } = this.#target;
    const host = rules.host ?? this.#target.host;
    const onShown = (shown: Shown): void => this.#end(shown);
    switch (rules.kind) {
      case 'tcp':
        return this.#end({ hasPassed: true, detail: isTls(backend) ? 'connected, with TLS' : 'connected' });
      case 'grpc':
        return askGrpc(socket, host, rules, onShown);
      case 'http':
        return isHttp2(backend) ? askHttp2(socket, host, rules, onShown) : this.#askHttp1(socket, host);
    }
  }

  onNoSocket({ message }: Error): void {
    this.#end({ hasPassed: false, detail: message });
  }

  #askHttp1(socket: Socket, host: string): void {
    const { rules } = this.#target;
    const { method, path } = rules;
    socket
      // With TLS; otherwise they come by `#reads`.
      .on('data', (bytes: Buffer) => this.#read(bytes))
      .once('close', () => this.#end(judgeAnswer(this.#answer.end(), rules)))
      .write(requestText(method, path, host), 'latin1');
  }

  #reads(): OnReadOpts {
    return {
      buffer: SHARED,
      callback: (length, buffer) => {
        this.#read(Buffer.from(buffer.buffer, buffer.byteOffset, length));
        return true;
      },
    };
  }

  #read(bytes: Buffer): void {
    const read = this.#answer.read(bytes);
    if (read !== null) this.#end(judgeAnswer(read, this.#target.rules));
  }

  #end(shown: Shown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#free();
    this.#onShown(shown);
  }

  #free(): void {
    this.#clock.clear(this.#timer);
    this.#dialing.cancel();
    // An HTTP/2 session ends with its socket.
    this.#socket?.destroy();
  }
}

/** The backend that is connected to: perhaps at another port; gRPC is HTTP/2, whatever requests to it are. */
function dialledFor({ backend, rules: { kind, port } }: ProbeTarget): Backend {
  const protocol = kind !== 'grpc' || isHttp2(backend) ? backend.protocol : isTls(backend) ? 'h2:' : 'h2c:';
  if (protocol === backend.protocol && (port === null || port === backend.port)) return backend;
  return { ...backend, protocol, port: backend.socketPath === null ? (port ?? backend.port) : backend.port };
}
