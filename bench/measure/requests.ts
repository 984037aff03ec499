/** Requests by wrk: how many, how fast, and what they cost the system under test and Redis. */
import type { Figures } from '../figures.ts';
import type { Subject } from '../peers/peer.ts';
import { callsBetween, totals } from '../redis-info.ts';
import type { Scene } from '../scene.ts';
import { usageOf } from '../usage.ts';
import { parseWrk, wrkCommand, type Counted, type Load } from '../wrk.ts';
import type { Measure } from './measure.ts';

/** Enough for V8 to compile what is hot: so many answers, in so many turns at most. */
const WARM_REQUESTS = 20_000;
const WARM_TURNS = 4;
const WARM_SECONDS = 3;
/** wrk takes longer than it was told when a server hangs, ms. */
const GRACE_MS = 20_000;
const MB = 1e6;

export const DEFAULT_LOAD: Load = { path: '/20', connections: 64, tls: false, bodyBytes: 0, closes: false };

export function requests(options: Partial<Load> = {}): Measure {
  const load = { ...DEFAULT_LOAD, ...options };
  return {
    wantsFresh: false,
    warmUp: (scene, subject) => warm(load, scene, subject),
    run: (scene, subject, seconds) => measure(load, scene, subject, seconds),
  };
}

/** Sends until the system has had the chance to compile itself, through many connections also when few are measured. */
export async function warm(load: Load, scene: Scene, subject: Subject): Promise<void> {
  const connections = Math.max(load.connections, DEFAULT_LOAD.connections);
  let answered = 0;
  for (let turn = 0; turn < WARM_TURNS && answered < WARM_REQUESTS; turn++) {
    answered += (await send({ ...load, connections }, scene, subject, WARM_SECONDS)).requests;
  }
}

/** Runs wrk. */
async function send(load: Load, scene: Scene, subject: Subject, seconds: number): Promise<Counted> {
  const command = wrkCommand(load, scene.script, subject.port, subject.frontends, seconds);
  return parseWrk(await scene.processes.run(command, scene.load, seconds * 1000 + GRACE_MS));
}

async function measure(load: Load, scene: Scene, subject: Subject, seconds: number): Promise<Figures> {
  const { redis } = scene;
  const calls = await redis.calls();
  const redisBefore = redis.cpuMicros;
  const before = usageOf(subject.process.pid);
  const counted = await send(load, scene, subject, seconds);
  const after = usageOf(subject.process.pid);
  const redisMicros = (redis.cpuMicros - redisBefore) / counted.requests;
  const { commands, scripts } = totals(callsBetween(calls, await redis.calls()));
  const cpuMicros = (after.cpuMicros - before.cpuMicros) / counted.requests;
  return {
    perSecond: counted.requests / counted.seconds,
    mbPerSecond: counted.bytes / counted.seconds / MB,
    cpuMicros,
    redisMicros,
    bothMicros: cpuMicros + redisMicros,
    redisCommands: commands / counted.requests,
    redisScripts: scripts / counted.requests,
    p50Ms: counted.p50Ms,
    p99Ms: counted.p99Ms,
    residentMB: after.residentBytes / MB,
    errors: counted.errors,
  };
}
