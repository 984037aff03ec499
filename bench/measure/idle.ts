/** Connections and WebSockets without traffic: the resident memory that each adds. Memory of the kernel is not in it. */
import { setTimeout as delay } from 'node:timers/promises';
import { openFileLimit } from '../../lib/cluster/open-files.ts';
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
/** Descriptors of a system that are not for connections: the router counts on 50, and warming left some to the backend. */
const OTHER_FILES = 1_000;

/**
 * How many connections are opened where a process may have so many open files. A router and a proxy may need two for each
 * connection: near that bound they close idle ones, and their memory would be divided by connections that are gone.
 */
export function affordable(wanted: number, openFiles: number): number {
  return Math.max(1, Math.min(wanted, Math.floor((openFiles - OTHER_FILES) / 2)));
}

/** @param child opens them, and prints `idle` when all are open @param wanted fewer where open files do not allow them */
export function idle(child: Extract<Child, 'idle' | 'idle-websockets'>, wanted: number): Measure {
  const connections = affordable(wanted, openFileLimit());
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
    return { connections, bytesPerConnection: (after - before) / connections, residentMB: after / MB };
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
