/** The systems that take part in a case: started, warm, and ended with it. */
import { layOut } from './cores.ts';
import { start, type Peer, type Subject } from './peers/peer.ts';
import type { Skipped } from './report/report.ts';
import type { Scene } from './scene.ts';
import { advice, missing } from './tools.ts';
import { busyMicros, usageOf } from './usage.ts';

export type Say = (line: string) => void;

type WarmUp = (subject: Subject) => Promise<void>;

export class Field {
  readonly scene: Scene;
  readonly skipped: Skipped[] = [];
  readonly #warmUp: WarmUp;
  readonly #subjects = new Map<Peer, Subject>();

  constructor(scene: Scene, warmUp: WarmUp) {
    this.scene = scene;
    this.#warmUp = warmUp;
  }

  /** Those who take part, in the order in which they came. */
  get peers(): readonly Peer[] {
    return [...this.#subjects.keys()];
  }

  /** @throws when it does not take part */
  subject(peer: Peer): Subject {
    const subject = this.#subjects.get(peer);
    if (subject === undefined) throw new Error(`${peer.label} has not started`);
    return subject;
  }

  /** Starts and warms a peer. @returns why it does not take part, or null */
  async enter(peer: Peer): Promise<string | null> {
    try {
      const why = await this.#startWarm(peer);
      return why === null ? null : this.#skip(peer, why);
    } catch (error) {
      return this.drop(peer, error);
    }
  }

  /** Starts and warms each of these that may take part. */
  async enterAll(peers: readonly Peer[], wanted: readonly string[], say: Say): Promise<void> {
    for (const peer of peers) {
      if (wanted.length > 0 && !wanted.includes(peer.name)) continue;
      const why = await this.enter(peer);
      if (why !== null) say(`  ${peer.label} is left out: ${why}`);
    }
  }

  /** Notes that a peer has failed. @returns why, in one line. @throws the error when everything ends */
  drop(peer: Peer, error: unknown): string {
    if (this.scene.processes.isClosed) throw error;
    return this.#skip(peer, (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '');
  }

  /** Replaces a peer's process. @throws when it does not start */
  async renew(peer: Peer): Promise<void> {
    await this.subject(peer).process.stop();
    const why = await this.#startWarm(peer);
    if (why !== null) throw new Error(why);
  }

  async leave(): Promise<void> {
    await Promise.all([...this.#subjects.values()].map(({ process }) => process.stop()));
  }

  /** From now until the result is asked for: the share of the cores' time that others have used. */
  watchOthers(): () => number {
    const cores = [...this.scene.load, ...layOut(this.scene.allowed, 2).subject];
    const begin = { busy: busyMicros(cores), own: usageOf(process.pid).cpuMicros, at: performance.now() };
    return () => {
      const own = usageOf(process.pid).cpuMicros - begin.own;
      const all = (performance.now() - begin.at) * 1000 * new Set(cores).size;
      return Math.max(0, (busyMicros(cores) - begin.busy - own) / all);
    };
  }

  #skip({ label }: Peer, why: string): string {
    this.skipped.push({ label, why });
    return why;
  }

  /** @returns why it cannot run, or null */
  async #startWarm(peer: Peer): Promise<string | null> {
    const lacking = missing(peer.tools);
    if (lacking.length > 0) return `${lacking.map(({ program }) => program).join(', ')} is missing: ${advice(lacking)}`;
    const subject = await start(peer, this.scene);
    if (typeof subject === 'string') return subject;
    try {
      await this.#warmUp(subject);
      this.#subjects.set(peer, subject);
      return null;
    } catch (error) {
      await subject.process.stop();
      throw error;
    }
  }
}
