/** What stands around the system under test: backends, Redis, a certificate, a folder, and the cores. */
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ADDRESSES, startBackend } from './backend.ts';
import { makeCertificate, type Certificate } from './certificate.ts';
import { childCommand } from './child.ts';
import { allowedCores, layOut, type Cores } from './cores.ts';
import { callOnce } from './grpc.ts';
import { startTenant } from './neighbours/start-tenant.ts';
import { freePort, untilAnswered } from './ports.ts';
import { Processes } from './processes.ts';
import { BenchRedis, type Backends } from './redis.ts';
import { GRPC_HOST, writeScript } from './wrk.ts';

/** How long interrupted work may take to find that its programs are gone, ms. */
const SETTLE_MS = 5_000;

export interface Scene {
  readonly processes: Processes;
  readonly folder: string;
  readonly allowed: readonly number[];
  /** The load's cores do not depend on the system under test. */
  readonly load: Cores['load'];
  readonly backends: Backends;
  readonly redis: BenchRedis;
  readonly certificate: Certificate;
  /** wrk's script. */
  readonly script: string;
}

/** Builds a scene, lends it, and takes it down: also when the work fails or the user interrupts it. */
export async function withScene(work: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hipache-bench-'));
  // Servers that leave root behind read their maps in it; the key has a mode of its own.
  chmodSync(folder, 0o711);
  const processes = new Processes(folder);
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort(new Error('interrupted'));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  const working = build(folder, processes).then(work);
  // After an interruption its programs are gone, and it fails for that: nobody wants to hear it.
  working.catch(() => {});
  try {
    const interrupted = once(interrupt.signal, 'abort').then(() => Promise.reject(new Error('interrupted')));
    await Promise.race([working, interrupted]);
  } finally {
    await processes.close();
    await Promise.race([working.catch(() => {}), delay(SETTLE_MS, undefined, { ref: false })]);
    rmSync(folder, { recursive: true, force: true });
    for (const signal of signals) process.removeListener(signal, stop);
  }
}

async function build(folder: string, processes: Processes): Promise<Scene> {
  const allowed = allowedCores();
  const { load } = layOut(allowed, 1);
  const plain = await startBackend(processes, load, folder);
  const echo = await startEcho(processes, load);
  const grpc = await startGrpc(processes, load);
  return {
    processes,
    folder,
    allowed,
    load,
    backends: {
      plain: `http://127.0.0.1:${plain}`,
      four: ADDRESSES.map((address) => `http://${address}:${plain}`),
      echo: `http://127.0.0.1:${echo}`,
      grpc: `h2c://127.0.0.1:${grpc}`,
      tenant: await startTenant(processes, load),
    },
    redis: await BenchRedis.start(processes, load, folder),
    certificate: makeCertificate(folder),
    script: writeScript(folder),
  };
}

async function startEcho(processes: Processes, cores: readonly number[]): Promise<number> {
  const port = await freePort();
  const echo = await processes.start(childCommand('echo', String(port)), cores);
  await untilAnswered({ port, host: 'echo', path: '/', tls: false, http2: false }, () => echo.hasEnded);
  return port;
}

async function startGrpc(processes: Processes, cores: readonly number[]): Promise<number> {
  const port = await freePort();
  const server = await processes.start(childCommand('grpc', String(port)), cores);
  try {
    await callOnce(port, GRPC_HOST);
  } catch (error) {
    throw new Error(`the gRPC server did not start: ${server.said()}`, { cause: error });
  }
  return port;
}
