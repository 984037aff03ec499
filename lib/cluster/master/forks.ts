import cluster from 'node:cluster';
import { packagedProgram } from '../../config/package.ts';

const WORKER_FLAGS = [
  // http-proxy calls util._extend, for which newer Node versions print a deprecation warning in every worker.
  '--disable-warning=DEP0060',
  // MiB. V8 copies what lives of the young generation in pauses in which no request is served. While a tenant's requests wait,
  // those take up to 18 ms with 16, Node 20's default, and up to 7 ms with 4; a request, or a new connection, costs no more. Newer
  // Node versions let it grow larger still, and a busy worker would exceed the default of server.memory.limitMB.
  '--max-semi-space-size=4',
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
