import type { CloseReason, ConnectionLimits } from '../core/limits/connection-limits.ts';
import type { Log } from './log.ts';

/** How often the same is said, ms. */
const REMIND_MS = 60_000;
/** Clients remembered at most; when there are more, what was said of them may be said again. */
const MAX_CLIENTS = 1_000;

/** What was closed since it was last said, and when that was. */
interface Said {
  at: number;
  closed: number;
  refused: number;
}

/** Tells the operator that connections are closed because there is no room: once a minute, and of each client once a minute. */
export class LimitWarnings {
  readonly #log: Log;
  readonly #limits: ConnectionLimits;
  readonly #now: () => number;
  readonly #clients = new Map<string, Said>();
  readonly #all: Said = { at: -Infinity, closed: 0, refused: 0 };

  /** @param now ms; only differences count */
  constructor(log: Log, limits: ConnectionLimits, now: () => number) {
    this.#log = log;
    this.#limits = limits;
    this.#now = now;
  }

  /** @param client its address; null where any client's may have been closed */
  closed(reason: CloseReason, client: string | null): void {
    const said = client === null ? this.#all : this.#saidOf(client);
    if (reason === 'client-refused') said.refused++;
    else said.closed++;
    const now = this.#now();
    if (now < said.at + REMIND_MS) return;
    const { closed, refused } = said;
    said.at = now;
    said.closed = 0;
    said.refused = 0;
    const { connections, perClient } = this.#limits;
    if (client === null)
      this.#log.warn(
        { event: 'connections-full', limit: connections, closed },
        'this worker has no room for more connections: those that have been idle longest are closed',
      );
    else
      this.#log.warn(
        { event: 'client-full', client, limit: perClient, closed, refused },
        `${client} has as many connections as one client may: its own are closed when idle, others refused`,
      );
  }

  #saidOf(client: string): Said {
    let said = this.#clients.get(client);
    if (said !== undefined) return said;
    if (this.#clients.size >= MAX_CLIENTS) this.#clients.clear();
    said = { at: -Infinity, closed: 0, refused: 0 };
    this.#clients.set(client, said);
    return said;
  }
}
