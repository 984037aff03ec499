/** Distributed tracing: decides which exchanges are sampled, and sends their spans to a collector. */
import { MAX_TEXT, spansOf, type TracedExchange } from '../core/record/spans.ts';
import type { TracePolicy } from '../core/trace-context.ts';
import { describeCause, type Log } from './log.ts';
import { openOtlp, type OtlpSettings, type SendSpans, type TracedSpans } from './otlp.ts';
import { randomHexSource } from './random-hex.ts';
import { SpanQueue } from './span-queue.ts';

/** The settings of `otel`. */
export interface TracingSettings extends OtlpSettings {
  readonly sample: number;
  /** Whether the sampled flag of trusted proxies decides. */
  readonly trustIncoming: boolean;
}

/** How often lost spans are logged, ms. */
const REMIND_MS = 60_000;
/** How long the last spans may take at shutdown, ms. */
const LAST_MS = 2_000;
/** How much later than its own limit the exporter may fail, ms. */
const GRACE_MS = 1_000;
/** The clock of spans is corrected when it differs from the system's by more, ms. */
const CLOCK_SLACK_MS = 2;

interface Ended {
  readonly exchange: TracedExchange;
  readonly originMs: number;
}

/** The tracing of one worker. It gets exchanges after they have ended and never delays one. */
export class Tracing {
  readonly policy: TracePolicy;
  readonly #settings: TracingSettings;
  readonly #log: Log;
  readonly #queue: SpanQueue<Ended>;
  #send: SendSpans = () => Promise.reject(new Error('not open'));
  /** Added to `performance.now()` to get ms since 1970. */
  #originMs = performance.timeOrigin;
  #dropped = 0;
  /** How many lost spans were logged. */
  #told = 0;
  #reminder: NodeJS.Timeout | null = null;
  #isFailing = false;

  constructor(settings: TracingSettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
    this.policy = {
      randomHex: randomHexSource(),
      random: Math.random,
      sample: settings.sample,
      obeysTrusted: settings.trustIncoming,
    };
    this.#queue = new SpanQueue({
      send: (batch) => this.#send(batch.map(spansOfEnded)),
      limitMs: settings.timeoutMs + GRACE_MS,
      onSent: () => (this.#isFailing = false),
      onFailed: (cause) => this.#onFailed(cause),
      onLost: (items) => this.#onLost(items),
    });
  }

  /** Prepares the export. @throws Error with a sentence for the operator */
  async open(): Promise<void> {
    this.#send = await openOtlp(this.#settings);
  }

  /** How many sampled spans will never be exported. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a sampled exchange that has ended. */
  take(exchange: TracedExchange): void {
    this.#queue.add({ exchange: owned(exchange), originMs: this.#origin() });
  }

  /** Exports what is left, within LAST_MS. */
  async close(): Promise<void> {
    await this.#queue.close(LAST_MS);
    if (this.#reminder !== null) clearTimeout(this.#reminder);
    this.#tell();
  }

  /** The system clock is corrected now and then; spans of other programs follow it. */
  #origin(): number {
    const origin = Date.now() - performance.now();
    if (Math.abs(origin - this.#originMs) > CLOCK_SLACK_MS) this.#originMs = origin;
    return this.#originMs;
  }

  #onFailed(cause: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const why = describeCause(cause);
    this.#log.error({ event: 'trace-export-failed', cause: why }, `cannot export spans: ${why}`);
  }

  #onLost(items: readonly Ended[]): void {
    for (const { exchange } of items) this.#dropped += 1 + exchange.attempts.length;
    if (this.#reminder === null) this.#remind();
  }

  #remind(): void {
    this.#tell();
    this.#reminder = setTimeout(() => {
      this.#reminder = null;
      if (this.#dropped > this.#told) this.#remind();
    }, REMIND_MS).unref();
  }

  #tell(): void {
    const count = this.#dropped - this.#told;
    if (count === 0) return;
    this.#told = this.#dropped;
    this.#log.warn({ event: 'spans-dropped', count }, `${count} ${count === 1 ? 'span was' : 'spans were'} dropped`);
  }
}

function spansOfEnded({ exchange, originMs }: Ended): TracedSpans {
  return { trace: exchange.trace, spans: spansOf(exchange, originMs) };
}

/** Copies strings that are slices of larger ones: they would keep a whole head, or many ids, in memory. */
function owned(exchange: TracedExchange): TracedExchange {
  const { trace, target, authority, clientIp } = exchange;
  const { traceId, parentId, spanId, state } = trace;
  return {
    ...exchange,
    target: copy(target),
    authority: authority && copy(authority),
    clientIp: copy(clientIp),
    trace: {
      ...trace,
      traceId: copy(traceId),
      parentId: parentId && copy(parentId),
      spanId: copy(spanId),
      state: copy(state),
    },
  };
}

function copy(text: string): string {
  return text === '' ? '' : Buffer.from(text.slice(0, MAX_TEXT), 'latin1').toString('latin1');
}
