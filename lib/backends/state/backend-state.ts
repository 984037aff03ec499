import { describeOutcome } from '../../core/health/verdict.ts';
import type { BackendLoad, Outcome } from '../../core/routing/types.ts';
import { RelayConnections } from '../http1/backend-connection.ts';
import { AgentConnections } from '../http1/backend-stream.ts';
import type { BackendSessions } from '../http2/backend-sessions.ts';
import { BackendSlots, type ResponseRecord } from '../slots/connection-slots.ts';

/** How many failures are kept of a backend: the last ones. */
const MOST_FAILURES = 10;
/** Of a failure's reason, characters. */
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
  /** For an operator. */
  readonly reason: string;
  /** Of the error, as `ECONNREFUSED`, or the response's status; null where there is none. */
  readonly code: string | null;
}

const NO_FAILURES: readonly Failure[] = Object.freeze([]);

/**
 * What one worker has of one backend at run time, whichever lane or protocol: its slots and connections, and what was
 * counted. All requests count in plain numbers here, so that nothing is allocated for one.
 */
export class BackendState implements BackendLoad, ResponseRecord {
  /** As `serverOf` says. */
  readonly server: string;
  readonly slots = new BackendSlots(this);
  /** The fast lane's connections. */
  readonly relay = new RelayConnections();
  /** The full lane's connections. */
  readonly agent = new AgentConnections();
  /** Connections by HTTP/2; null until there was one. */
  http2: BackendSessions | null = null;
  /** WebSockets by HTTP/1.1: their connections are the client's until they end, and their slots are given back. */
  tunnels = 0;
  /** For how many frontends this worker found it dead and has had no good response since. */
  deaths = 0;
  responseCount = 0;
  latencyMs = 0;
  /** Of 1xx (that is 101 alone), 2xx, 3xx, 4xx, 5xx. */
  readonly #byClass = [0, 0, 0, 0, 0];
  #failures: readonly Failure[] = NO_FAILURES;

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

  /** Responses by class: 1xx (that is 101 alone), 2xx, 3xx, 4xx, 5xx. */
  get byClass(): readonly number[] {
    return this.#byClass;
  }

  /** The last ones, the oldest first. */
  get failures(): readonly Failure[] {
    return this.#failures;
  }

  /** Whether something refers to this record: another one for the same backend would have its numbers wrong. */
  get isInUse(): boolean {
    return this.inFlight > 0 || this.waiting > 0 || this.open > 0 || this.deaths > 0;
  }

  responded(status: number, ms: number): void {
    this.latencyMs = this.responseCount === 0 ? ms : this.latencyMs + (ms - this.latencyMs) * LATENCY_WEIGHT;
    this.responseCount++;
    const at = Math.floor(status / 100) - 1;
    // Statuses from 600 on are passed on, and belong to no class.
    if (at >= 0 && at < this.#byClass.length) this.#byClass[at] = (this.#byClass[at] ?? 0) + 1;
  }

  /** An attempt has failed. @param at epoch ms */
  failed(outcome: Outcome, at: number): void {
    this.#note({ at, type: outcome.type, reason: describeOutcome(outcome), code: codeOf(outcome) });
  }

  /** A response was broken off behind its head. @param at epoch ms */
  cut(why: Error & { readonly code?: string | undefined }, at: number): void {
    this.#note({ at, type: 'cut', reason: why.message, code: why.code ?? null });
  }

  /**
   * Closes the HTTP/1.1 connection that has been idle for longest, of either lane, where a next one would be too many.
   * Only for who holds a slot: fewer than the limit are busy then, so one is idle.
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
