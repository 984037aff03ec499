/** Runs one case: everyone in turn, the reference before and after each, several rounds. */
import { inWords, layOut } from './cores.ts';
import type { Case } from './cases/case.ts';
import { summarize, type Figures, type Run } from './figures.ts';
import { start, type Peer, type Subject } from './peers/peer.ts';
import type { CaseReport, Row, Skipped } from './report/report.ts';
import type { Scene } from './scene.ts';
import { advice, missing } from './tools.ts';
import { busyMicros, usageOf } from './usage.ts';

export interface Wishes {
  readonly rounds: number;
  /** For one run. */
  readonly seconds: number;
  /** Which peers take part; all when it is empty. The reference always does. */
  readonly peers: readonly string[];
}

type Say = (line: string) => void;

/** Where the reference is not installed, the first peer that is takes its place. @throws when the reference cannot run */
export async function runCase(which: Case, scene: Scene, wishes: Wishes, say: Say): Promise<CaseReport> {
  const field = new Field(which, scene, wishes.seconds);
  const everyone = [which.reference, ...which.peers];
  const reference = everyone.find(({ tools }) => missing(tools).length === 0) ?? which.reference;
  try {
    const refusal = await field.enter(reference);
    if (refusal !== null) throw new Error(`${reference.label} cannot run: ${refusal}`);
    for (const peer of everyone.filter((each) => each !== reference)) {
      if (wishes.peers.length > 0 && !wishes.peers.includes(peer.name)) continue;
      const why = await field.enter(peer);
      if (why !== null) say(`  ${peer.label} is left out: ${why}`);
    }
    const measured = await field.play(reference, wishes.rounds, say);
    return { ...describe(which, scene), ...measured };
  } finally {
    await field.leave();
  }
}

function describe(which: Case, { allowed }: Scene): Omit<CaseReport, 'rows' | 'skipped' | 'others'> {
  const { name, title, note = null, columns, ratios, reference, peers } = which;
  const workers = Math.max(...[reference, ...peers].map(({ setup }) => setup.workers));
  return { name, title, note, columns, ratios, cores: inWords(layOut(allowed, workers), workers) };
}

/** Those who take part in a case, started and warm. */
class Field {
  readonly #case: Case;
  readonly #scene: Scene;
  readonly #seconds: number;
  readonly #subjects = new Map<Peer, Subject>();
  readonly #skipped: Skipped[] = [];

  constructor(which: Case, scene: Scene, seconds: number) {
    this.#case = which;
    this.#scene = scene;
    this.#seconds = seconds;
  }

  /** Starts and warms a peer. @returns why it does not take part, or null */
  async enter(peer: Peer): Promise<string | null> {
    const why = await this.#startWarm(peer).catch((error: unknown) => this.#reason(error));
    if (typeof why !== 'string') {
      this.#subjects.set(peer, why);
      return null;
    }
    this.#skipped.push({ label: peer.label, why });
    return why;
  }

  async play(reference: Peer, rounds: number, say: Say): Promise<Pick<CaseReport, 'rows' | 'skipped' | 'others'>> {
    const runs = new Map<Peer, Run[]>([...this.#subjects.keys()].map((peer) => [peer, []]));
    const others = this.#watchOthers();
    for (let round = 1; round <= rounds; round++) {
      let before = await this.#run(reference);
      runs.get(reference)?.push(beside(before));
      for (const peer of [...runs.keys()].filter((each) => each !== reference)) {
        try {
          const own = await this.#run(peer);
          const after = await this.#run(reference);
          runs.get(peer)?.push({ own, beside: [before, after] });
          runs.get(reference)?.push(beside(after));
          before = after;
        } catch (error) {
          if (this.#subjects.get(reference)?.process.hasEnded) throw error;
          const why = this.#reason(error);
          runs.delete(peer);
          this.#skipped.push({ label: peer.label, why });
          say(`  ${peer.label} is left out: ${why}`);
        }
      }
      say(`  round ${round} of ${rounds} is done`);
    }
    const rows = [...runs].map(([peer, list]) => rowOf(peer, peer === reference, list));
    return { rows, skipped: this.#skipped, others: others() };
  }

  async leave(): Promise<void> {
    await Promise.all([...this.#subjects.values()].map(({ process }) => process.stop()));
  }

  async #startWarm(peer: Peer): Promise<Subject | string> {
    const lacking = missing(peer.tools);
    if (lacking.length > 0) return `${lacking.map(({ program }) => program).join(', ')} is missing: ${advice(lacking)}`;
    const subject = await start(peer, this.#scene);
    if (typeof subject === 'string') return subject;
    try {
      await this.#case.measure.warmUp(this.#scene, subject);
      return subject;
    } catch (error) {
      await subject.process.stop();
      throw error;
    }
  }

  async #run(peer: Peer): Promise<Figures> {
    const { measure } = this.#case;
    const subject = this.#subjects.get(peer);
    if (subject === undefined) throw new Error(`${peer.label} has not started`);
    const figures = await measure.run(this.#scene, subject, this.#seconds);
    if (measure.wantsFresh) {
      await subject.process.stop();
      const next = await this.#startWarm(peer);
      if (typeof next === 'string') throw new Error(next);
      this.#subjects.set(peer, next);
    }
    return figures;
  }

  /** Why a peer is left out, in one line. @throws the error when everything ends */
  #reason(error: unknown): string {
    if (this.#scene.processes.isClosed) throw error;
    return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
  }

  /** From now until the result is asked for. */
  #watchOthers(): () => number | null {
    const cores = [...this.#scene.load, ...layOut(this.#scene.allowed, 2).subject];
    const begin = { busy: busyMicros(cores), own: usageOf(process.pid).cpuMicros, at: performance.now() };
    return () => {
      // What ended away from its parent is counted for nobody.
      if (this.#case.measure.wantsFresh) return null;
      const own = usageOf(process.pid).cpuMicros - begin.own;
      const all = (performance.now() - begin.at) * 1000 * new Set(cores).size;
      return Math.max(0, (busyMicros(cores) - begin.busy - own) / all);
    };
  }
}

function rowOf({ label }: Peer, isReference: boolean, runs: readonly Run[]): Row {
  return { label, isReference, summary: summarize(runs), runs };
}

/** A run of the reference, which is compared with itself. */
function beside(own: Figures): Run {
  return { own, beside: [own, own] };
}
