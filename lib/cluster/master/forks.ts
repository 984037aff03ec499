import cluster from 'node:cluster';
import { packagedProgram } from '../../config/package.ts';

const WORKER_FLAGS = [
  // http-proxy calls util._extend, for which newer Node versions print a deprecation warning in every worker.
  '--disable-warning=DEP0060',
  // MiB. Newer Node versions let the young generation grow to several times the size that the default of
  // server.memory.limitMB was chosen for; a busy worker without a leak would exceed it.
  '--max-semi-space-size=16',
];

/** Sets what `cluster.fork` starts: the file, its flags, and the serialization of messages. */
export function prepareForks(): void {
  // Workers accept connections themselves: passing each one to a worker costs more than everything else about it.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec: packagedProgram('cluster/worker/worker-main'),
    args: [],
    execArgv: [...process.execArgv, ...WORKER_FLAGS],
    serialization: 'advanced',
  });
}
