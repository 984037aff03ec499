/** New TLS connections, each for one request: with a whole handshake, or with a session that is resumed. */
import { childCommand } from '../child.ts';
import type { Figures } from '../figures.ts';
import type { Subject } from '../peers/peer.ts';
import type { Scene } from '../scene.ts';
import { usageOf } from '../usage.ts';
import type { Measure } from './measure.ts';

const CLIENTS = 64;
const WARM_SECONDS = 6;
const GRACE_MS = 20_000;
/** Of those that could: the first connection of each client has nothing to resume, and a server may forget some. */
const RESUMED_SHARE = 0.95;

export type Handshake = 'new' | 'resumed';

export function handshakes(kind: Handshake): Measure {
  return {
    wantsFresh: false,
    warmUp: async (scene, subject) => void (await make(kind, scene, subject, WARM_SECONDS)),
    run: async (scene, subject, seconds): Promise<Figures> => {
      const before = usageOf(subject.process.pid);
      const { made, perSecond } = await make(kind, scene, subject, seconds);
      const after = usageOf(subject.process.pid);
      return {
        perSecond,
        cpuMicros: (after.cpuMicros - before.cpuMicros) / made,
        residentMB: after.residentBytes / 1e6,
      };
    },
  };
}

async function make(
  kind: Handshake,
  scene: Scene,
  { port }: Subject,
  seconds: number,
): Promise<{ made: number; perSecond: number }> {
  const command = childCommand('handshakes', ...[port, CLIENTS, seconds, kind].map(String));
  const said = await scene.processes.run(command, scene.load, seconds * 1000 + GRACE_MS);
  const { made, resumed, micros } = parseHandshakes(said);
  const isAsAsked = kind === 'new' ? resumed === 0 : resumed >= (made - CLIENTS) * RESUMED_SHARE;
  if (!isAsAsked) throw new Error(`${resumed} of ${made} connections resumed a session`);
  return { made, perSecond: made / (micros / 1e6) };
}

/** Reads what the child prints at the end. @throws when it made no connection */
export function parseHandshakes(said: string): { made: number; resumed: number; micros: number } {
  const match = /^figures made=([0-9]+) resumed=([0-9]+) micros=([0-9]+)$/m.exec(said);
  const [made = 0, resumed = 0, micros = 0] = match?.slice(1).map(Number) ?? [];
  if (made === 0) throw new Error(`no connection was made: ${said}`);
  return { made, resumed, micros };
}
