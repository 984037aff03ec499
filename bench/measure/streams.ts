/** Streams of HTTP/2 by h2load: how many, and what they cost the system under test. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Figures } from '../figures.ts';
import { callOnce, GRPC_METHOD, grpcFrame } from '../grpc.ts';
import {
  h2loadCommand,
  parseH2load,
  TEN_BY_HUNDRED,
  type Amount,
  type Streams,
  type StreamsCounted,
} from '../h2load.ts';
import type { Subject } from '../peers/peer.ts';
import type { Scene } from '../scene.ts';
import { usageOf, type Usage } from '../usage.ts';
import { GRPC_HOST } from '../wrk.ts';
import type { Measure } from './measure.ts';

const WARM_SECONDS = 6;
/** For a run that takes longer than the warm-up let expect, ms. */
const GRACE_MS = 40_000;
const MB = 1e6;

export function streams(options: Partial<Streams> = {}): Measure {
  return measureOf(() => ({ ...TEN_BY_HUNDRED, ...options }));
}

/** Unary calls of gRPC, without TLS. */
export function grpcCalls(): Measure {
  const measure = measureOf((scene) => {
    const grpcFile = join(scene.folder, 'grpc-frame');
    writeFileSync(grpcFile, grpcFrame());
    return { ...TEN_BY_HUNDRED, tls: false, host: GRPC_HOST, path: GRPC_METHOD, grpcFile };
  });
  return {
    ...measure,
    warmUp: async (scene, subject) => {
      // A call that fails is 200, too, and its failure is in the trailers: h2load does not look there.
      await callOnce(subject.port, GRPC_HOST);
      await measure.warmUp(scene, subject);
    },
  };
}

/** Runs have a number of requests, by the warm-up's rate: at the end of a time a thousand streams would be uncounted. */
function measureOf(loadOf: (scene: Scene) => Streams): Measure {
  const rates = new WeakMap<Subject, number>();
  return {
    wantsFresh: false,
    warmUp: async (scene, subject) => {
      const load = loadOf(scene);
      await send(load, scene, subject, { seconds: WARM_SECONDS }, WARM_SECONDS);
      // Once more: while V8 compiles, the rate is none.
      const counted = await send(load, scene, subject, { seconds: 2 }, 2);
      rates.set(subject, counted.requests / counted.seconds);
    },
    run: async (scene, subject, seconds) => {
      const load = loadOf(scene);
      const requests = Math.ceil((rates.get(subject) ?? 0) * seconds);
      const before = usageOf(subject.process.pid);
      const counted = await send(load, scene, subject, { requests }, seconds);
      return figuresOf(counted, before, usageOf(subject.process.pid));
    },
  };
}

function figuresOf(counted: StreamsCounted, before: Usage, after: Usage): Figures {
  return {
    perSecond: counted.requests / counted.seconds,
    mbPerSecond: counted.bytes / counted.seconds / MB,
    cpuMicros: (after.cpuMicros - before.cpuMicros) / counted.requests,
    residentMB: after.residentBytes / MB,
    errors: counted.errors,
  };
}

async function send(
  load: Streams,
  scene: Scene,
  { port }: Subject,
  amount: Amount,
  seconds: number,
): Promise<StreamsCounted> {
  return parseH2load(
    await scene.processes.run(h2loadCommand(load, port, amount), scene.load, seconds * 1000 + GRACE_MS),
  );
}
