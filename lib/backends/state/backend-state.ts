import { areAgreed, type FailedResponse, withFailure } from '../../core/health/agreement.ts';
import { peakAfter } from '../../core/balance/latency.ts';
import { describeOutcome } from '../../core/health/verdict.ts';
import { RecentActivity } from '../../core/record/recent-activity.ts';
import type { BackendLoad, Outcome } from '../../core/routing/types.ts';
import { RelayConnections } from '../http1/backend-connection.ts';
import { AgentConnections } from '../http1/backend-stream.ts';
import type { BackendSessions } from '../http2/backend-sessions.ts';
import { BackendSlots, type ResponseRecord } from '../slots/backend-slots.ts';

/** Number of latest failures kept of a backend. */
const MOST_FAILURES = 10;
/** Maximum length of a failure's reason, characters. */
const MOST_REASON = 200;
/** Share of the latest response in the average latency: half of that is of the last 11 responses. */
const LATENCY_WEIGHT = 1 / 16;

/** Why an attempt failed; `cut`: the response was broken off behind its head. */
export type FailureType = Outcome['type'] | 'cut';

/** One attempt that failed. Plain data. */
export interface Failure {
  /** Epoch ms. */
  readonly at: number;
  readonly type: FailureType;
  /** For operators. */
  readonly reason: string;
  /** The error's code, such as `ECONNREFUSED`, or the response's status; null without one. */
  readonly code: string | null;
}

const NO_FAILURES: readonly Failure[] = Object.freeze([]);
const NO_RESPONSES: readonly FailedResponse[] = Object.freeze([]);

/**
 * The run-time state of one backend in one worker, for both lanes and all protocols: its slots, its connections, and
 * counters. Requests are counted in plain numbers, so that nothing is allocated for one.
 */
export class BackendState implements BackendLoad, ResponseRecord {
  /** As `serverOf` returns it. */
  readonly server: string;
  readonly slots = new BackendSlots(this);
  /** The fast lane's connections. */
  readonly relay = new RelayConnections();
  /** The full lane's connections. */
  readonly agent = new AgentConnections();
  /** Connections by HTTP/2; null until there was one. */
  http2: BackendSessions | null = null;
  /** WebSockets with HTTP/1.1: they keep their connections, but no slots. */
  tunnels = 0;
  /** See `Balancing.aliveSince`; null before it was asked for. */
  aliveSince: number | null = null;
  /** For how many frontends this worker found the backend dead, without a normal response since. */
  deaths = 0;
  responseCount = 0;
  latencyMs = 0;
  peakMs = 0;
  peakAt = 0;
  /** Requests, errors and latencies of the last minute. */
  readonly recent = new RecentActivity();
  /** Number of failed attempts, and of responses that were broken off. */
  failureCount = 0;
  /** Responses by class: 1xx (only 101), 2xx, 3xx, 4xx, 5xx. */
  readonly #byClass = [0, 0, 0, 0, 0];
  #failures: readonly Failure[] = NO_FAILURES;
  /** Latest responses that were failures, of sites that ask whether these agree. */
  #failedResponses = NO_RESPONSES;

  constructor(server: string) {
    this.server = server;
  }

  get inFlight(): number {
    return this.slots.taken + this.tunnels;
  }

  get waiting(): number {
    return this.slots.waiting;
  }

  get open(): number {
    return this.relay.open + this.agent.open + (this.http2?.size ?? 0) + this.tunnels;
  }

  get idle(): number {
    return this.relay.idle.length + this.agent.idle.length + (this.http2?.idle ?? 0);
  }

  get isDead(): boolean {
    return this.deaths > 0;
  }

  /** Responses by class: 1xx (only 101), 2xx, 3xx, 4xx, 5xx. */
  get byClass(): readonly number[] {
    return this.#byClass;
  }

  /** The latest failures, oldest first. */
  get failures(): readonly Failure[] {
    return this.#failures;
  }

  /** Whether anything refers to this state. A second state for the same backend would have wrong numbers. */
  get isInUse(): boolean {
    return this.inFlight > 0 || this.waiting > 0 || this.open > 0 || this.deaths > 0;
  }

  responded(status: number, sentAt: number, now: number): void {
    const ms = now - sentAt;
    this.peakMs = peakAfter(this.peakMs, now - this.peakAt, ms);
    this.peakAt = now;
    this.latencyMs = this.responseCount === 0 ? ms : this.latencyMs + (ms - this.latencyMs) * LATENCY_WEIGHT;
    this.responseCount++;
    this.recent.responded(now, ms, status >= 500);
    const at = Math.floor(status / 100) - 1;
    // Statuses from 600 on are passed on, but have no class.
    if (at >= 0 && at < this.#byClass.length) this.#byClass[at] = (this.#byClass[at] ?? 0) + 1;
  }

  /** An attempt has failed. @param at epoch ms. @param now ms on the clock of `responded` */
  failed(outcome: Outcome, at: number, now: number): void {
    // The response of an attempt that was answered has been counted.
    if (outcome.type !== 'answered') {
      this.failureCount++;
      this.recent.failed(now, false);
    }
    this.#note({ at, type: outcome.type, reason: describeOutcome(outcome), code: codeOf(outcome) });
  }

  /** Its latest response was a failure. @param client its address. @returns whether the latest responses agree on that */
  agrees(client: string): boolean {
    this.#failedResponses = withFailure(this.#failedResponses, { count: this.responseCount, client });
    return areAgreed(this.#failedResponses);
  }

  /** A response was broken off behind its head. @param at, now as in `failed` */
  cut(why: Error & { readonly code?: string | undefined }, at: number, now: number): void {
    this.failureCount++;
    this.recent.failed(now, true);
    this.#note({ at, type: 'cut', reason: why.message, code: why.code ?? null });
  }

  /**
   * If another connection would be too many, closes the longest idle HTTP/1.1 connection of either lane. Call only
   * with a slot: then fewer than the limit are busy, so one is idle.
   */
  makeRoom(maxSockets: number): void {
    if (this.relay.open + this.agent.open < maxSockets) return;
    const ours = this.relay.idle[0];
    const theirs = this.agent.idle[0];
    const isOursOlder = ours !== undefined && (theirs === undefined || ours.idleSince <= theirs.idleSince);
    (isOursOlder ? ours : theirs)?.destroy();
  }

  #note(failure: Failure): void {
    const reason = failure.reason.slice(0, MOST_REASON);
    this.#failures = [...this.#failures.slice(1 - MOST_FAILURES), { ...failure, reason }];
  }
}

function codeOf(outcome: Outcome): string | null {
  if (outcome.type === 'answered') return String(outcome.status);
  if (!('cause' in outcome)) return null;
  const { code } = outcome.cause as Error & { readonly code?: unknown };
  return typeof code === 'string' ? code : null;
}
