/** What a worker writes down of all that has ended: in the access log, in metrics, in traces, and in the operator's log. */
import type { Config } from '../config/config.ts';
import type { CutReason } from '../core/record/cut-reason.ts';
import type { RouterError } from '../core/errors.ts';
import type { Http2Refusal } from '../http2/parts.ts';
import { spokenVersion } from '../core/http/forwarded.ts';
import type { ResponseCut } from '../core/record/response-cut.ts';
import type { ConnectionUse } from '../core/routing/types.ts';
import type { Exchange } from '../proxy/exchange.ts';
import { wasPing } from '../proxy/ping.ts';
import type { AccessRecord } from './access-line.ts';
import { AccessLog } from './access-log.ts';
import { WorkerMetrics, type OwnState, type MetricsReport } from './worker-metrics.ts';
import type { Log } from './log.ts';
import { accessRecord } from './access-record.ts';
import { logCut, logGarbage, logHttp2Refusal, logRefusal, logResponseCut } from './refusals.ts';
import { tracedExchange } from './traced.ts';
import { Tracing } from './tracing.ts';

/**
 * So many times as many frontends as have metrics of their own are counted by a worker at a time: it does not know
 * which they are.
 */
const ROWS_PER_NAME = 4;

/** One for each worker. */
export class ExchangeRecorder {
  readonly #log: Log;
  readonly #accessLog: AccessLog | null;
  /** Null where nobody can ask for them. */
  readonly metrics: WorkerMetrics | null;
  /** Null where the router takes no part in traces. */
  readonly tracing: Tracing | null;
  /** Where connections to backends are counted. */
  readonly use: ConnectionUse = { opened: 0, reused: 0 };

  /** Opens the access log. */
  constructor({ server, admin, metrics, otel, runAs }: Config, log: Log) {
    const { accessLog, accessLogFormat } = server;
    this.#log = log;
    this.#accessLog = accessLog === null ? null : new AccessLog(accessLog, runAs, accessLogFormat, log);
    this.metrics = admin && new WorkerMetrics(ROWS_PER_NAME * metrics.topN, this.use);
    this.tracing = otel && new Tracing(otel, log);
  }

  /** Makes ready to send, as the user that this process is now. */
  start(): void {
    this.#accessLog?.start();
  }

  /** An exchange has ended in the full lane. */
  ended(exchange: Exchange): void {
    if (wasPing(exchange)) return;
    logRefusal(this.#log, exchange);
    const record = accessRecord(exchange);
    this.metrics?.ended(exchange, record);
    const version = spokenVersion(exchange.peer, exchange.head?.version ?? exchange.request.httpVersion);
    this.#accessLog?.write(record, version);
    if (this.tracing) trace(exchange, this.tracing);
  }

  /** To be told of each exchange that has ended in the fast lane; null when that is nowhere written down. */
  get passed(): ((record: AccessRecord, version: string) => void) | null {
    const accessLog = this.#accessLog;
    const { metrics } = this;
    if (accessLog === null && metrics === null) return null;
    return (record, version) => {
      metrics?.passed(record);
      accessLog?.write(record, version);
    };
  }

  /** Bytes came that were no request. @param bytes of the answer to them */
  garbage(firstLine: string, error: RouterError, clientIp: string, bytes: number): void {
    this.metrics?.refused(error.code);
    logGarbage(this.#log, error, clientIp);
    this.#accessLog?.writeGarbage(clientIp, firstLine, error.status, bytes);
  }

  /** A client was cut off within an answer. @param host that it asked for, where that is known */
  cut(reason: CutReason, client: string, host: string | null): void {
    this.metrics?.cut(reason);
    logCut(this.#log, reason, client, host);
  }

  /** A backend broke off a response behind its head. */
  responseCut(cut: ResponseCut): void {
    logResponseCut(this.#log, cut);
  }

  /** Streams or a connection of HTTP/2 were refused before there was a request. */
  refusedHttp2(refusal: Http2Refusal, clientIp: string): void {
    this.metrics?.refused(refusal.code, refusal.count);
    logHttp2Refusal(this.#log, refusal, clientIp);
  }

  /** What was counted since the last call, and what was lost since the start; null where nothing is counted. */
  take(own: Omit<OwnState, 'linesDropped' | 'spansDropped'>): MetricsReport | null {
    const linesDropped = this.#accessLog?.dropped ?? 0;
    const spansDropped = this.tracing?.dropped ?? 0;
    return this.metrics?.take({ ...own, linesDropped, spansDropped }) ?? null;
  }

  /** Opens the access log anew, after it was moved away. @throws the system's error, and goes on with the old file */
  reopen(): void {
    this.#accessLog?.reopen();
  }

  /** Writes and exports what is left. Metrics can still be taken, for the last time. */
  async close(): Promise<void> {
    await this.#accessLog?.close();
    await this.tracing?.close();
    this.metrics?.close();
  }

  /** Writes what is left for the access log, at once: the process ends. */
  flushSync(): void {
    this.#accessLog?.flushSync();
  }
}

function trace(exchange: Exchange, tracing: Tracing): void {
  const traced = tracedExchange(exchange, tracing.policy);
  if (traced !== null) tracing.take(traced);
}
