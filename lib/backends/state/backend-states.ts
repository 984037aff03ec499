import { isDialled, serverOf } from '../../core/routing/backend.ts';
import { NO_LOAD } from '../../core/routing/selection.ts';
import type { Activity } from '../../core/record/recent-activity.ts';
import type { Backend, BackendLoad, Outcome } from '../../core/routing/types.ts';
import { BackendState, type Failure } from './backend-state.ts';

/** Maximum number of states, not counting those in use. */
const MAX_STATES = 10_000;
/** How many are dropped at a time, so that not every new one needs a search. */
const LEAVING = 1_000;

/** The state of one backend as plain data for other processes. */
export interface BackendSnapshot extends Omit<BackendLoad, 'peakMs' | 'peakAt'> {
  /** Scheme, host and port, or the path of a socket. */
  readonly server: string;
  readonly responses: Readonly<Record<'1xx' | '2xx' | '3xx' | '4xx' | '5xx', number>>;
  /** Failed attempts, and responses that were broken off. */
  readonly failed: number;
  readonly recent: Activity;
  /** The latest ten, oldest first. */
  readonly failures: readonly Failure[];
}

/**
 * The states of all backends of a worker, one for each server, even if many lists name it. At 10,000 states the 1,000
 * least recently used are dropped. States with requests, waiting requests, connections, or an unfinished death are
 * never dropped, so with more than 10,000 of these the map grows.
 */
export class BackendStates implements Iterable<BackendState> {
  readonly #states = new Map<string, BackendState>();
  readonly #now: () => number;
  readonly #clock: () => number;
  /** Number of states at which some are dropped. */
  #most = MAX_STATES;

  /** @param now epoch ms, for the time of failures. @param clock ms since the process began, for recent activity */
  constructor(now: () => number, clock: () => number = () => performance.now()) {
    this.#now = now;
    this.#clock = clock;
  }

  /** Returns the state of a backend; makes one if there is none. */
  of(backend: Backend): BackendState {
    const server = serverOf(backend);
    return this.#states.get(server) ?? this.#make(server);
  }

  /** The load of a backend for selections. Makes no state. */
  readonly loadOf = (backend: Backend): BackendLoad => this.#states.get(serverOf(backend)) ?? NO_LOAD;

  /** See `Balancing.aliveSince`. Makes a state. */
  readonly aliveSince = (backend: Backend, isDead: boolean, now: number): number => {
    // The router itself serves the others.
    if (!isDialled(backend)) return -Infinity;
    const state = this.of(backend);
    if (state.aliveSince === null || isDead || state.isDead) state.aliveSince = now;
    return state.aliveSince;
  };

  /** An attempt has failed. Ignored for files and redirects, which are no servers. */
  failed(backend: Backend, outcome: Outcome): void {
    if (isDialled(backend)) this.of(backend).failed(outcome, this.#now(), this.#clock());
  }

  /** The backend's latest response was a failure. @returns whether its latest responses agree: see agreement.ts */
  agrees(backend: Backend, client: string): boolean {
    return isDialled(backend) && this.of(backend).agrees(client);
  }

  /** A response was broken off behind its head. */
  cut(backend: Backend, why: Error): void {
    if (isDialled(backend)) this.of(backend).cut(why, this.#now(), this.#clock());
  }

  /** Number of states. */
  get size(): number {
    return this.#states.size;
  }

  [Symbol.iterator](): IterableIterator<BackendState> {
    return this.#states.values();
  }

  /**
   * States as plain data.
   * @param servers those to include, as `serverOf` returns them; all without it
   * @param more how many others to include: those with the most responses
   */
  snapshot(servers?: readonly string[], more = 0): readonly BackendSnapshot[] {
    const states = servers?.map((server) => this.#states.get(server)) ?? [...this.#states.values()];
    if (servers !== undefined && more > 0) states.push(...this.#busiest(more, new Set(servers)));
    const now = this.#clock();
    return states.flatMap((state) => (state === undefined ? [] : [snapshotOf(state, now)]));
  }

  #busiest(most: number, except: ReadonlySet<string>): readonly BackendState[] {
    return [...this.#states.values()]
      .filter(({ server }) => !except.has(server))
      .toSorted((one, other) => other.responseCount - one.responseCount)
      .slice(0, most);
  }

  #make(server: string): BackendState {
    if (this.#states.size >= this.#most) this.#sweep();
    const state = new BackendState(server);
    this.#states.set(server, state);
    return state;
  }

  #sweep(): void {
    const unused = [...this.#states.values()].filter(({ isInUse }) => !isInUse);
    unused.sort((one, other) => one.slots.now - other.slots.now);
    for (const { server } of unused.slice(0, LEAVING)) this.#states.delete(server);
    // With many in use, the next search would find as few.
    this.#most = Math.max(MAX_STATES, this.#states.size + LEAVING);
  }
}

function snapshotOf(state: BackendState, now: number): BackendSnapshot {
  const { server, inFlight, waiting, open, idle, latencyMs, isDead, failures, failureCount } = state;
  const [informational = 0, good = 0, redirected = 0, refused = 0, failed = 0] = state.byClass;
  const responses = { '1xx': informational, '2xx': good, '3xx': redirected, '4xx': refused, '5xx': failed };
  const recent = state.recent.read(now);
  return {
    server,
    inFlight,
    waiting,
    open,
    idle,
    latencyMs,
    isDead,
    responses,
    failed: failureCount,
    recent,
    failures,
  };
}
