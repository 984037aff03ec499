import { type Announcement, type Fleet, GONE_MS, nameOf, type SeenBeat } from '../store/fleet.ts';
import type { WorkerQueries } from './workforce.ts';

/** A worker's last reply. */
interface Last {
  readonly seen: SeenBeat;
  /** `performance.now()`, ms. */
  readonly at: number;
}

/** The workers of this router alone, as they reply to the admin interface: with a routes file there is no other one. */
export class WorkersFleet implements Fleet {
  readonly #workerQueries: Pick<WorkerQueries, 'ask'>;
  readonly #announced = new Map<string, Announcement>();
  /** By process id. */
  readonly #last = new Map<number, Last>();

  constructor(workerQueries: Pick<WorkerQueries, 'ask'>) {
    this.#workerQueries = workerQueries;
  }

  async beats(): Promise<readonly SeenBeat[]> {
    const { workers, answers } = await this.#workerQueries.ask({
      type: 'fleet',
      announced: [...this.#announced.values()],
    });
    const now = performance.now();
    for (const [pid, answer] of answers) {
      if (answer.type === 'fleet') this.#last.set(pid, { seen: { beat: answer.beat, agoMs: 0 }, at: now });
    }
    const running = new Set(workers.map(({ pid }) => pid));
    for (const [pid, { at }] of this.#last) if (!running.has(pid) || now - at > GONE_MS) this.#last.delete(pid);
    const seen = Array.from(this.#last.values(), ({ seen: { beat }, at }) => ({ beat, agoMs: now - at }));
    // Of a worker and its successor the one that replies.
    return [...new Map(seen.toSorted((a, b) => b.agoMs - a.agoMs).map((each) => [nameOf(each.beat), each])).values()];
  }

  async announce(announcement: Announcement): Promise<void> {
    this.#announced.set(announcement.key, announcement);
  }

  async withdraw(key: string): Promise<void> {
    this.#announced.delete(key);
  }

  async close(): Promise<void> {
    this.#announced.clear();
    this.#last.clear();
  }
}
