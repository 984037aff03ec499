import type { Figures } from '../figures.ts';
import type { Subject } from '../peers/peer.ts';
import type { Scene } from '../scene.ts';

/** How the runs of a case are done. */
export interface Measure {
  /** Lets the system under test compile, open its connections and settle. */
  warmUp(scene: Scene, subject: Subject): Promise<void>;
  /** One run of about so many seconds. @throws when nothing could be measured */
  run(scene: Scene, subject: Subject, seconds: number): Promise<Figures>;
  /** Each run wants a process that has not served before. */
  readonly wantsFresh: boolean;
}
