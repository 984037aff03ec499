/** Connections and WebSockets without traffic: the resident memory that each adds. Memory of the kernel is not in it. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, childCommand } from '../child.ts';
import type { Figures } from '../figures.ts';
import type { Subject } from '../peers/peer.ts';
import type { Running } from '../processes.ts';
import type { Scene } from '../scene.ts';
import { usageOf } from '../usage.ts';
import type { Measure } from './measure.ts';
import { DEFAULT_LOAD, warm } from './requests.ts';

const OPEN_LIMIT_MS = 60_000;
const PAUSE_MS = 100;
/** For memory to settle: collections, buffers given back. */
const SETTLE_MS = 2_000;
const MB = 1e6;

/** @param child opens them, and prints `idle` when all are open */
export function idle(child: Extract<Child, 'idle' | 'idle-websockets'>, connections: number): Measure {
  return {
    wantsFresh: true,
    warmUp: async (scene, subject) => {
      await warm(DEFAULT_LOAD, scene, subject);
      await delay(SETTLE_MS);
    },
    run: (scene, subject) => measure(child, connections, scene, subject),
  };
}

async function measure(child: Child, connections: number, scene: Scene, subject: Subject): Promise<Figures> {
  const before = usageOf(subject.process.pid).residentBytes;
  const args = [subject.port, subject.frontends, connections].map(String);
  const holder = await scene.processes.start(childCommand(child, ...args), scene.load);
  try {
    await untilSaid(holder, 'idle\n');
    await delay(SETTLE_MS);
    const after = usageOf(subject.process.pid).residentBytes;
    if (holder.hasEnded) throw new Error(`connections were closed: ${holder.said()}`);
    return { bytesPerConnection: (after - before) / connections, residentMB: after / MB };
  } finally {
    await holder.stop();
  }
}

async function untilSaid(process: Running, word: string): Promise<void> {
  const deadline = performance.now() + OPEN_LIMIT_MS;
  while (!process.said().endsWith(word)) {
    if (process.hasEnded) throw new Error(`connections could not be opened: ${process.said()}`);
    if (performance.now() > deadline) throw new Error('connections were not open in time');
    await delay(PAUSE_MS);
  }
}
