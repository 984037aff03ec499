import type { CloseReason, ConnectionLimits } from '../core/limits/connection-limits.ts';
import type { Log } from './log.ts';

/** How often the same warning is logged, ms. */
const REMIND_MS = 60_000;
/** How many clients are remembered. With more of them, a warning may be repeated earlier. */
const MAX_CLIENTS = 1_000;

/** The connections closed since the last warning, and its time. */
interface Said {
  at: number;
  closed: number;
  refused: number;
}

/** Warns that connections are closed because of a limit: once a minute, and for each client once a minute. */
export class LimitWarnings {
  readonly #log: Log;
  readonly #limits: ConnectionLimits;
  readonly #now: () => number;
  readonly #clients = new Map<string, Said>();
  readonly #all: Said = { at: -Infinity, closed: 0, refused: 0 };

  /** @param now the current time, ms; only differences matter */
  constructor(log: Log, limits: ConnectionLimits, now: () => number) {
    this.#log = log;
    this.#limits = limits;
    this.#now = now;
  }

  /** Counts a closed connection. @param client its address; null when the worker's limit was reached */
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
        'this worker has reached its connection limit: it closes the connections that have been idle longest',
      );
    else
      this.#log.warn(
        { event: 'client-full', client, limit: perClient, closed, refused },
        `${client} has reached the connection limit of a client: its idle connections are closed, or new ones refused`,
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
