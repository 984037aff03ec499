/** What one of our own clients in `children/` counts, and what each of that cost the system under test. */
import { childCommand, type Child } from '../child.ts';
import type { Figures } from '../figures.ts';
import type { Subject } from '../peers/peer.ts';
import type { Scene } from '../scene.ts';
import { usageOf } from '../usage.ts';
import type { Measure } from './measure.ts';

/** For a child that takes longer than it was told, ms. */
const GRACE_MS = 20_000;

/** What a child says at its end. */
export interface Counted {
  readonly count: number;
  readonly micros: number;
}

export interface Counting {
  readonly child: Child;
  /** Its arguments, after the port. */
  readonly argsFor: (seconds: number) => readonly (number | string)[];
  readonly warmSeconds: number;
  /** Reads what the child prints at the end. @throws when nothing was counted */
  readonly read: (said: string) => Counted;
}

export function childCounts({ child, argsFor, warmSeconds, read }: Counting): Measure {
  const count = async (scene: Scene, { port }: Subject, seconds: number): Promise<Counted> => {
    const command = childCommand(child, ...[port, ...argsFor(seconds)].map(String));
    return read(await scene.processes.run(command, scene.load, seconds * 1000 + GRACE_MS));
  };
  return {
    wantsFresh: false,
    warmUp: async (scene, subject) => void (await count(scene, subject, warmSeconds)),
    run: async (scene, subject, seconds): Promise<Figures> => {
      const before = usageOf(subject.process.pid);
      const counted = await count(scene, subject, seconds);
      const after = usageOf(subject.process.pid);
      return {
        perSecond: counted.count / (counted.micros / 1e6),
        cpuMicros: (after.cpuMicros - before.cpuMicros) / counted.count,
        residentMB: after.residentBytes / 1e6,
      };
    },
  };
}
