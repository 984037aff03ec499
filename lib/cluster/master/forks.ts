import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';

const WORKER_FLAGS = [
  // http-proxy calls util._extend, which newer Nodes announce as deprecated in every worker.
  '--disable-warning=DEP0060',
  // MiB. Newer Nodes let the young generation grow to several times of what they did when server.memory.limitMB got
  // its default; a worker that is busy, not leaking, would pass it.
  '--max-semi-space-size=16',
];

/** Says what `cluster.fork` is to start: the file, its flags, and how we speak with it. */
export function prepareForks(): void {
  // Workers accept by themselves: a connection that is handed to them costs more than all else about it.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec: fileURLToPath(new URL('../worker/worker-main.js', import.meta.url)),
    args: [],
    execArgv: [...process.execArgv, ...WORKER_FLAGS],
    serialization: 'advanced',
  });
}
