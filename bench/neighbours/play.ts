/** Plays a case of attacks: each system in turn goes through all of them, with time without an attack before and after each. */
import type { Case } from '../cases/case.ts';
import type { Attack } from '../attacks/attack.ts';
import type { Field, Say } from '../field.ts';
import { summarize, type Figures, type Run } from '../figures.ts';
import type { Attacks } from '../measure/attacks.ts';
import type { Peer, Subject } from '../peers/peer.ts';
import { attackedLabel, type CaseReport, type Row } from '../report/report.ts';
import type { Wishes } from '../rounds.ts';

/** A system is left out when it fails, with all its rows. */
export async function playAttacks(
  { reference, peers }: Case,
  measure: Attacks,
  field: Field,
  { rounds, seconds, peers: wantedPeers, attacks: wanted }: Wishes,
  say: Say,
): Promise<Pick<CaseReport, 'rows' | 'skipped' | 'others'>> {
  const attacks = measure.attacks.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  if (attacks.length === 0)
    throw new Error(`There are only these attacks: ${measure.attacks.map(({ name }) => name).join(', ')}`);
  await field.enterAll([reference, ...peers], wantedPeers, say);
  const runs = new Map(
    field.peers.map((peer) => [peer, new Map<Attack, Run[]>(attacks.map((attack) => [attack, []]))]),
  );
  const others = field.watchOthers();
  for (let round = 1; round <= rounds; round++) {
    for (const [peer, list] of runs) {
      try {
        const found = await playOne(measure, attacks, field, field.subject(peer), seconds);
        for (const [attack, run] of found) list.get(attack)?.push(run);
      } catch (error) {
        runs.delete(peer);
        say(`  ${peer.label} is left out: ${field.drop(peer, error)}`);
      }
    }
    say(`  round ${round} of ${rounds} is done`);
  }
  const rows = attacks.flatMap((attack) =>
    [...runs].map(([peer, list]) => rowOf(attack, peer, list.get(attack) ?? [])),
  );
  return { rows, skipped: field.skipped, others: others() };
}

async function playOne(
  measure: Attacks,
  attacks: readonly Attack[],
  { scene }: Field,
  subject: Subject,
  seconds: number,
): Promise<ReadonlyMap<Attack, Run>> {
  const found = new Map<Attack, Run>();
  let before = await measure.quiet(scene, subject, seconds);
  for (const attack of attacks) {
    const attacked = await measure.attacked(attack, scene, subject, seconds);
    const after = await measure.quiet(scene, subject, seconds);
    found.set(attack, { own: { ...attacked, ...timesQuiet(attacked, before, after) }, beside: [before, after] });
    before = after;
  }
  return found;
}

function timesQuiet(attacked: Figures, before: Figures, after: Figures): Figures {
  const quiet = ((before.p99Ms ?? 0) + (after.p99Ms ?? 0)) / 2;
  return attacked.p99Ms === undefined || quiet === 0 ? {} : { p99TimesQuiet: attacked.p99Ms / quiet };
}

function rowOf({ label: attack }: Attack, { label: system }: Peer, runs: readonly Run[]): Row {
  const label = attackedLabel(attack, system);
  return { label, isReference: false, summary: summarize(runs), runs, attack, system };
}
