/** Runs one case: everyone in turn, the reference before and after each, several rounds. */
import { inWords, layOut } from './cores.ts';
import type { Case } from './cases/case.ts';
import { Field, type Say } from './field.ts';
import { summarize, type Figures, type Run } from './figures.ts';
import type { Measure } from './measure/measure.ts';
import { playAttacks } from './neighbours/play.ts';
import type { Peer } from './peers/peer.ts';
import type { CaseReport, Row } from './report/report.ts';
import type { Scene } from './scene.ts';
import { missing } from './tools.ts';

export interface Wishes {
  readonly rounds: number;
  /** For one run. */
  readonly seconds: number;
  /** Which peers take part; all when it is empty. The reference always does, but among those that are attacked. */
  readonly peers: readonly string[];
  /** The names of the attacks, where there are any; all when it is empty. */
  readonly attacks: readonly string[];
}

type Played = Pick<CaseReport, 'rows' | 'skipped' | 'others'>;

/** Where the reference is not installed, the first peer that is takes its place. @throws when the reference cannot run */
export async function runCase(which: Case, scene: Scene, wishes: Wishes, say: Say): Promise<CaseReport> {
  const { measure } = which;
  const field = new Field(scene, (subject) => measure.warmUp(scene, subject));
  try {
    const played =
      'attacks' in measure
        ? await playAttacks(which, measure, field, wishes, say)
        : await play(which, measure, field, wishes, say);
    return { ...describe(which, scene), ...played };
  } finally {
    await field.leave();
  }
}

function describe(which: Case, { allowed }: Scene): Omit<CaseReport, keyof Played> {
  const { name, title, note = null, columns, ratios, reference, peers } = which;
  const workers = Math.max(...[reference, ...peers].map(({ setup }) => setup.workers));
  return { name, title, note, columns, ratios, cores: inWords(layOut(allowed, workers), workers) };
}

async function play(which: Case, measure: Measure, field: Field, wishes: Wishes, say: Say): Promise<Played> {
  const everyone = [which.reference, ...which.peers];
  const reference = everyone.find(({ tools }) => missing(tools).length === 0) ?? which.reference;
  const refusal = await field.enter(reference);
  if (refusal !== null) throw new Error(`${reference.label} cannot run: ${refusal}`);
  const others = everyone.filter((each) => each !== reference);
  await field.enterAll(others, wishes.peers, say);

  const run = async (peer: Peer): Promise<Figures> => {
    const figures = await measure.run(field.scene, field.subject(peer), wishes.seconds);
    if (measure.wantsFresh) await field.renew(peer);
    return figures;
  };
  const runs = new Map<Peer, Run[]>(field.peers.map((peer) => [peer, []]));
  const shareOfOthers = field.watchOthers();
  for (let round = 1; round <= wishes.rounds; round++) {
    let before = await run(reference);
    runs.get(reference)?.push(beside(before));
    for (const peer of [...runs.keys()].filter((each) => each !== reference)) {
      try {
        const own = await run(peer);
        const after = await run(reference);
        runs.get(peer)?.push({ own, beside: [before, after] });
        runs.get(reference)?.push(beside(after));
        before = after;
      } catch (error) {
        if (field.subject(reference).process.hasEnded) throw error;
        runs.delete(peer);
        say(`  ${peer.label} is left out: ${field.drop(peer, error)}`);
      }
    }
    say(`  round ${round} of ${wishes.rounds} is done`);
  }
  const rows = [...runs].map(([peer, list]) => rowOf(peer, peer === reference, list));
  // What ended away from its parent is not counted for any system.
  return { rows, skipped: field.skipped, others: measure.wantsFresh ? null : shareOfOthers() };
}

function rowOf({ label }: Peer, isReference: boolean, runs: readonly Run[]): Row {
  return { label, isReference, summary: summarize(runs), runs };
}

/** A run of the reference, which is compared with itself. */
function beside(own: Figures): Run {
  return { own, beside: [own, own] };
}
