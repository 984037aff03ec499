/** Tenant B's requests at a fixed rate, without an attack and under each attack of tenant A. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Attack } from '../attacks/attack.ts';
import { attacks } from '../attacks/all.ts';
import { childCommand } from '../child.ts';
import type { Figures } from '../figures.ts';
import { YIELDING } from '../neighbours/yielding.ts';
import type { Subject } from '../peers/peer.ts';
import type { Scene } from '../scene.ts';
import { usageOf } from '../usage.ts';
import { DEFAULT_LOAD, warm } from './requests.ts';

/** Requests of B a second. */
const RATE = 200;
/** How long B sends before its requests count: its client is compiled by then, and the attack has begun. */
const WARM_SECONDS = 1;
/** How long an attack goes on after B, for the reading of memory. */
const LONGER_SECONDS = 1;
/** Attacks that last at least so long tell how memory grows with the time; in shorter ones it has not settled. */
const SLOPE_SECONDS = 30;
/** For connections of an attack that are being closed. */
const SETTLE_MS = 1_000;
/** The attacks of the warm-up. */
const WARM_ATTACK_SECONDS = 1;
/** For programs that take longer than they should. */
const GRACE_MS = 20_000;
const MB = 1e6;

/** How the runs of a case with attacks are done. */
export interface Attacks {
  readonly attacks: readonly Attack[];
  warmUp(scene: Scene, subject: Subject): Promise<void>;
  /** B alone, for so many seconds. @throws when nothing could be measured */
  quiet(scene: Scene, subject: Subject, seconds: number): Promise<Figures>;
  /** B while A attacks, and then some time for A's connections to close. @throws when nothing could be measured */
  attacked(attack: Attack, scene: Scene, subject: Subject, seconds: number): Promise<Figures>;
}

export const neighbours: Attacks = {
  attacks,
  warmUp: async (scene, subject) => {
    await warm(DEFAULT_LOAD, scene, subject);
    for (const attack of attacks) await begin(attack, scene, subject, WARM_ATTACK_SECONDS);
    await delay(SETTLE_MS);
  },
  quiet: measure,
  attacked: async (attack, scene, subject, seconds) => {
    const before = residentMB(subject);
    const attacking = begin(attack, scene, subject, WARM_SECONDS + seconds + LONGER_SECONDS);
    try {
      const [figures, middle] = await Promise.all([
        measure(scene, subject, seconds),
        delay((WARM_SECONDS + seconds / 2) * 1000).then(() => residentMB(subject)),
      ]);
      const after = residentMB(subject);
      const slope = seconds < SLOPE_SECONDS ? {} : { slopeMB: (after - middle) / (seconds / 2 / 60) };
      return { ...figures, perSecond: await attacking, residentMB: after, grownMB: after - before, ...slope };
    } finally {
      // If B's client has failed, the attack ends before the next run.
      await attacking.catch(() => {});
      await delay(SETTLE_MS);
    }
  },
};

function residentMB({ process }: Subject): number {
  if (process.hasEnded) throw new Error(`it has ended: ${process.said()}`);
  return usageOf(process.pid).residentBytes / MB;
}

async function measure(scene: Scene, { port }: Subject, seconds: number): Promise<Figures> {
  const command = childCommand('neighbour', ...[port, RATE, WARM_SECONDS, seconds].map(String));
  const said = await scene.processes.run(command, scene.load, (WARM_SECONDS + seconds) * 1000 + GRACE_MS);
  return parseNeighbour(said);
}

/** @returns requests or connections that it has begun, per second */
async function begin(attack: Attack, scene: Scene, { port, tlsPort }: Subject, seconds: number): Promise<number> {
  const command = [...YIELDING, ...childCommand('attack', attack.name, ...[port, tlsPort, seconds].map(String))];
  return parseAttack(await scene.processes.run(command, scene.load, seconds * 1000 + GRACE_MS));
}

/** Reads what B's client prints at the end. @throws when it has sent nothing */
export function parseNeighbour(said: string): Required<Pick<Figures, 'errors' | 'p50Ms' | 'p99Ms' | 'maxMs'>> {
  const match = /^figures requests=([1-9][0-9]*) errors=([0-9]+) p50=([0-9]+) p99=([0-9]+) max=([0-9]+)$/m.exec(said);
  if (match === null) throw new Error(`nothing was measured: ${said.slice(-500)}`);
  const [, errors = 0, p50 = 0, p99 = 0, max = 0] = match.slice(1).map(Number);
  return { errors, p50Ms: p50 / 1000, p99Ms: p99 / 1000, maxMs: max / 1000 };
}

/** Reads what an attack prints at the end. @returns what it has begun, per second. @throws when it says nothing */
export function parseAttack(said: string): number {
  const match = /^figures begun=([0-9]+) micros=([0-9]+)$/m.exec(said);
  const [begun = 0, micros = 0] = match?.slice(1).map(Number) ?? [];
  if (micros === 0) throw new Error(`the attack has failed: ${said.slice(-500)}`);
  return begun / (micros / 1e6);
}
