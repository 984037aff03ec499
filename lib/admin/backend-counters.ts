import type { BackendSnapshot } from '../backends/state/backend-states.ts';
import { bracketed } from '../core/routing/hostname.ts';
import { type ActivityRates, ratesOf } from '../core/record/recent-activity.ts';
import type { Known } from './questions.ts';
import type { WorkerQueries } from './workforce.ts';

/** A backend without a request for so long, ms, can be replaced by another. */
const IDLE_MS = 300_000;

/** Classes of responses. */
export type ResponseClass = keyof BackendSnapshot['responses'];

/** The counters of a backend since it has metrics of its own, and its present state, of all workers. */
export interface BackendMetrics {
  readonly responses: Readonly<Record<ResponseClass, number>>;
  readonly failed: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly open: number;
  readonly idle: number;
  readonly rates: ActivityRates;
}

interface Counted {
  readonly responses: Record<ResponseClass, number>;
  failed: number;
  /** The last snapshots, by process id: what was counted since then is added. */
  readonly last: Map<number, BackendSnapshot>;
  /** When something was added last, ms. */
  usedAt: number;
}

/** The metrics of a limited number of backends, of all workers together. */
export class BackendCounters {
  readonly #max: number;
  readonly #now: () => number;
  /** By server. */
  readonly #named = new Map<string, Counted>();

  /** @param max how many backends; 0 for none. @param now the current time, ms; only differences matter */
  constructor(max: number, now: () => number) {
    this.#max = max;
    this.#now = now;
  }

  /** Asks the workers, and adds what they counted since the last time. */
  async update(workerQueries: Pick<WorkerQueries, 'ask'>): Promise<void> {
    if (this.#max === 0) return;
    this.#forgetIdle();
    const servers = [...this.#named.keys()];
    const { workers, answers } = await workerQueries.ask({
      type: 'backends',
      servers,
      more: this.#max - servers.length,
    });
    for (const [pid, answer] of answers) {
      if (answer.type === 'backends') for (const snapshot of answer.backends) this.#add(pid, snapshot);
    }
    this.#keepOnly(workers);
  }

  /** By the label of a backend: its URL, without a path. */
  *entries(): Iterable<readonly [label: string, metrics: BackendMetrics]> {
    for (const [server, { responses, failed, last }] of this.#named) {
      const now = [...last.values()];
      const sum = (of: (snapshot: BackendSnapshot) => number): number =>
        now.reduce((all, snapshot) => all + of(snapshot), 0);
      yield [
        urlOf(server),
        {
          responses,
          failed,
          inFlight: sum(({ inFlight }) => inFlight),
          waiting: sum(({ waiting }) => waiting),
          open: sum(({ open }) => open),
          idle: sum(({ idle }) => idle),
          rates: ratesOf(now.map(({ recent }) => recent)),
        },
      ];
    }
  }

  #add(pid: number, snapshot: BackendSnapshot): void {
    const { server, responses, failed } = snapshot;
    const counted = this.#of(server);
    if (counted === null) return;
    const before = counted.last.get(pid);
    counted.last.set(pid, snapshot);
    let added = since(failed, before?.failed);
    counted.failed += added;
    for (const of of ['1xx', '2xx', '3xx', '4xx', '5xx'] as const) {
      const more = since(responses[of], before?.responses[of]);
      counted.responses[of] += more;
      added += more;
    }
    if (added > 0) counted.usedAt = this.#now();
  }

  #of(server: string): Counted | null {
    const known = this.#named.get(server);
    if (known !== undefined || this.#named.size >= this.#max) return known ?? null;
    const responses = { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 };
    const made = { responses, failed: 0, last: new Map(), usedAt: this.#now() };
    this.#named.set(server, made);
    return made;
  }

  #forgetIdle(): void {
    const limit = this.#now() - IDLE_MS;
    for (const [server, { usedAt }] of this.#named) if (usedAt < limit) this.#named.delete(server);
  }

  /** Drops the snapshots of workers that have exited. */
  #keepOnly(workers: readonly Known[]): void {
    const pids = new Set(workers.map(({ pid }) => pid));
    for (const { last } of this.#named.values()) {
      for (const pid of last.keys()) if (!pids.has(pid)) last.delete(pid);
    }
  }
}

/** A worker drops its record of a backend that it has not used for long, and begins another one. */
function since(now: number, then = 0): number {
  return now >= then ? now - then : now;
}

/** @param server as `serverOf` returns it */
function urlOf(server: string): string {
  const [, scheme = '', place = ''] = /^([^:]+:)(.*)$/.exec(server) ?? [];
  if (place.startsWith('/')) return `${scheme}//[unix:${place}]`;
  const port = place.lastIndexOf(':');
  return `${scheme}//${bracketed(place.slice(0, port))}${place.slice(port)}`;
}
