/** Takes a request's body before a backend is asked, for sites with `buffer request`. */
import { Timer, type TimeLimits } from '../clock/time-limits.ts';
import { RouterError } from '../core/errors.ts';
import { isStreamingType } from '../core/http/streaming-type.ts';
import type { RequestHead } from '../core/http/request-head.ts';
import type { ExchangeLimits } from '../core/limits/exchange-limits.ts';
import { Pace } from '../core/limits/pace.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import type { BufferRule } from '../core/routing/site.ts';
import type { Route } from '../core/routing/types.ts';
import { BufferedBody } from './buffered-body.ts';
import type { Exchange } from './exchange.ts';
import type { BufferParts } from './overflow-file.ts';
import { SmallPieces } from './small-pieces.ts';

export interface RequestBufferParts {
  readonly clock: TimeLimits;
  readonly limits: ExchangeLimits;
  readonly buffers: BufferParts;
}

/** Whether the body of this request is taken whole. One that is known to be too large for that is not. */
export function isBuffered(rule: BufferRule | null, exchange: Exchange, { framing }: RequestHead): rule is BufferRule {
  if (rule === null || !rule.request || exchange.upgrade !== null || exchange.isBodyLost) return false;
  if (framing.kind === 'length' && framing.bytes > rule.bytes) return false;
  return !isStreamingType(exchange.request.headers['content-type']);
}

/**
 * Resolves when the body is complete, when no more of it fits, or when the exchange was interrupted. From then on it is
 * read from the buffer. A client that waits for a 100 gets it from the router.
 */
export async function bufferRequest(
  exchange: Exchange,
  head: RequestHead,
  rule: BufferRule,
  route: Route,
  parts: RequestBufferParts,
): Promise<void> {
  const { request } = exchange;
  const buffered = new BufferedBody(request, parts.buffers, siteOf(route.key), rule.bytes);
  buffered.on('error', (cause) =>
    exchange.interrupt(new RouterError('internal', 'the buffered body cannot be read', { cause })),
  );
  void exchange.over.then(() => buffered.destroy());
  if (head.expectsContinue) sendContinue(exchange, head);
  await new Buffering(exchange, buffered, parts).whole;
  if (exchange.interruption !== null) buffered.destroy();
  else exchange.body.readFrom(buffered, request.readableEnded);
}

/** The router asks for the body instead of the backend, which gets no expectation (RFC 9110 §10.1.1). */
function sendContinue(exchange: Exchange, head: RequestHead): void {
  exchange.response.writeContinue();
  exchange.hasContinued = true;
  exchange.head = { ...head, expectsContinue: false };
  const { outgoing } = exchange;
  if (outgoing === null) return;
  const { headers } = outgoing;
  const kept = headers.filter((_, i) => headers[i - (i % 2)]?.toLowerCase() !== 'expect');
  exchange.outgoing = { ...outgoing, headers: kept };
}

/** The time in which a body is taken. */
class Buffering {
  readonly whole: Promise<void>;
  readonly #exchange: Exchange;
  readonly #buffered: BufferedBody;
  readonly #clock: TimeLimits;
  readonly #limits: ExchangeLimits;
  readonly #pace: Pace;
  readonly #timer = new Timer(() => this.#onTimeout());
  readonly #pieces = new SmallPieces((bytes) => this.#take(bytes));
  #isOver = false;
  #finish: () => void = () => {};

  constructor(exchange: Exchange, buffered: BufferedBody, { clock, limits }: RequestBufferParts) {
    this.#exchange = exchange;
    this.#buffered = buffered;
    this.#clock = clock;
    this.#limits = exchange.limits ?? limits;
    this.#pace = new Pace(this.#limits.bodyMinRate, performance.now());
    this.whole = new Promise((resolve) => {
      this.#finish = resolve;
    });
    exchange.onInterrupt = () => this.#end();
    clock.set(this.#timer, this.#limits.bodyMs);
    const { request } = exchange;
    request.on('error', this.#onBroken);
    request.on('data', this.#onData).once('end', this.#onEnd).once('close', this.#onBroken);
    request.resume();
  }

  readonly #onData = (bytes: Buffer): void => this.#pieces.add(bytes);

  readonly #onEnd = (): void => this.#end();

  /** The request server interrupts the exchange; here the error only has to be caught. */
  readonly #onBroken = (): void => this.#end();

  #take(bytes: Buffer): void {
    const { bodyBytes, bodyMs } = this.#limits;
    const buffered = this.#buffered;
    buffered.keep(bytes);
    if (this.#isOver) return;
    if (bodyBytes > 0 && buffered.bytes > bodyBytes) {
      this.#exchange.interrupt(new RouterError('body-too-large', `a body of more than ${bodyBytes} bytes`));
      return;
    }
    this.#clock.set(this.#timer, bodyMs);
    const now = performance.now();
    if (this.#pace.isTooSlow(buffered.bytes, now)) return this.#giveUp('the request body came too slowly');
    if (buffered.isFull) return this.#end();
    if (!buffered.isLagging) return;
    this.#pace.blocked(now);
    this.#exchange.request.pause();
    buffered.onRoom = () => this.#onRoom();
  }

  #onRoom(): void {
    if (this.#buffered.isFull) return this.#end();
    this.#clock.set(this.#timer, this.#limits.bodyMs);
    this.#exchange.request.resume();
  }

  #onTimeout(): void {
    // The disk is awaited, not the client: the body is sent on as it is.
    if (this.#buffered.isLagging) this.#end();
    else this.#giveUp('the request body stopped coming');
  }

  #giveUp(why: string): void {
    this.#exchange.interrupt(new RouterError('request-timeout', why));
  }

  /** Idempotent. */
  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pieces.flush();
    const { request } = this.#exchange;
    this.#clock.clear(this.#timer);
    this.#exchange.onInterrupt = null;
    request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onBroken);
    if (!request.readableEnded) request.pause();
    this.#buffered.onRoom = () => {};
    this.#finish();
  }
}
