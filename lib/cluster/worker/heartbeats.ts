import { isReplyError } from '../../store/redis-client/link.ts';
import { isCommandRefused } from '../../store/redis-client/refusals.ts';
import { type Announcement, BEAT_MS, type BeatSource, type Member, type WorkerBeat } from '../../store/fleet.ts';
import type { Configure } from '../messages.ts';
import type { Lanes } from './lanes.ts';
import type { WorkerStore } from './store.ts';
import { WorkerBeats, type WorkerBeatParts } from './worker-beat.ts';

/** The pause while a deploy waits for this worker, ms. */
const AWAITED_MS = 250;
/** The pause after a heartbeat that Redis refused, ms: it lacks a right, and will not get it soon. */
const REFUSED_MS = 30_000;

/** What heartbeats say of their worker. */
interface BeatingWorker extends Pick<WorkerBeatParts, 'connections' | 'isDraining'> {
  readonly lanes: Pick<Lanes, 'backends' | 'traffic' | 'shares'>;
}

/** Sends the heartbeats of a worker to the store, each second, until it ends. Requests never wait for them. */
export class Heartbeats {
  /** Null with a routes file. */
  readonly #source: BeatSource | null;
  readonly #member: Member;
  readonly #beats: WorkerBeats;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #announced: readonly Announcement[] = [];
  #skewMs: number | null = null;
  #isClosed = false;
  /** Whether the store has the last one. */
  #isNoted = false;

  constructor({ member, config }: Pick<Configure, 'member' | 'config'>, store: WorkerStore, worker: BeatingWorker) {
    const { lanes, ...rest } = worker;
    const { backends, traffic } = lanes;
    const { legacyScheme } = config.server;
    this.#source = store.heartbeats;
    this.#member = member;
    this.#beats = new WorkerBeats({
      ...rest,
      member,
      backends,
      traffic,
      shares: () => lanes.shares,
      legacyScheme,
      store: store.routes,
    });
  }

  start(): void {
    if (this.#source !== null && !this.#isClosed) this.#later(this.#source, 0);
  }

  /** One heartbeat for the admin interface, where there is no store for them. Never rejects. */
  askedFor(announced: readonly Announcement[]): Promise<WorkerBeat> {
    return this.#beats.next(announced, 0, null);
  }

  /** Says that the worker ends. Resolves when the store has it, or does not reply. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#running;
    if (this.#isNoted) await this.#source?.leave(this.#member).catch(ignored);
  }

  #later(source: BeatSource, ms: number): void {
    if (this.#isClosed) return;
    const dueAt = performance.now() + ms;
    this.#timer = setTimeout(() => {
      this.#running = this.#beat(source, performance.now() - dueAt);
    }, ms).unref();
  }

  async #beat(source: BeatSource, lagMs: number): Promise<void> {
    const startedAt = performance.now();
    let pauseMs = BEAT_MS;
    try {
      const beat = await this.#beats.next(this.#announced, lagMs, this.#skewMs);
      const { announced, skewMs } = await source.beat(beat);
      this.#isNoted = true;
      this.#skewMs = skewMs;
      this.#announced = announced;
      const used = new Set(beat.deploys.filter(({ isUsed }) => isUsed).map(({ token }) => token));
      if (announced.some(({ token }) => !used.has(token))) pauseMs = AWAITED_MS;
    } catch (error) {
      // The store logs that Redis does not reply. Without heartbeats nothing is wrong with requests.
      if (isReplyError(error) && isCommandRefused(error)) pauseMs = REFUSED_MS;
      // A Redis that does not reply would delay the end of the worker; the heartbeat expires.
      this.#isNoted = false;
      this.#announced = [];
    }
    this.#later(source, Math.max(0, pauseMs - (performance.now() - startedAt)));
  }
}

/** The heartbeat expires. */
function ignored(): void {}
