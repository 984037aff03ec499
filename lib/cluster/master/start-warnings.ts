import { availableParallelism } from 'node:os';
import type { Config } from '../../config/config.ts';
import type { Log } from '../../observe/log.ts';
import { openFileLimit, maxClientConnections } from '../open-files.ts';

/** With fewer open files than this, the router warns of the low number of connections. */
const FEW_FILES = 4_096;

/** Warns at the start of more workers than CPUs, and of a low limit of open files. */
export function warnOfFewResources({ server: { workers } }: Config, log: Log): void {
  if (workers > 4 * availableParallelism()) log.warn({ event: 'many-workers', workers }, 'far more workers than CPUs');
  const files = openFileLimit();
  if (files < FEW_FILES)
    log.warn(
      { event: 'few-files', files, connections: maxClientConnections() },
      `each worker may open ${files} files, enough for ${maxClientConnections()} connections: past that, idle ones are closed`,
    );
}

/** Warns of sockets that the program was started with and that no listener uses. */
export function warnOfSpareSockets(
  spare: Iterable<{ readonly address: string; readonly port: number }>,
  log: Log,
): void {
  for (const { address, port } of spare)
    log.warn({ event: 'socket-unused', address, port }, `no listener is configured for ${address} port ${port}`);
}
