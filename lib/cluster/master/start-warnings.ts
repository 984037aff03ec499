import { availableParallelism } from 'node:os';
import type { Config } from '../../config/config.ts';
import type { Log } from '../../observe/log.ts';
import { openFileLimit, roomForClients } from '../open-files.ts';

/** With fewer open files a worker takes so few connections that the operator should know. */
const FEW_FILES = 4_096;

/** Warns of what an operator should know before there is traffic: more workers than CPUs, few open files. */
export function warnOfFewResources({ server: { workers } }: Config, log: Log): void {
  if (workers > 4 * availableParallelism()) log.warn({ event: 'many-workers', workers }, 'far more workers than CPUs');
  const files = openFileLimit();
  if (files < FEW_FILES)
    log.warn(
      { event: 'few-files', files, connections: roomForClients() },
      `each worker may open ${files} files, which is good for ${roomForClients()} connections: past that, idle ones are closed`,
    );
}

/** Warns of sockets that the program was started with, and that no listener uses. */
export function warnOfSpareSockets(
  spare: Iterable<{ readonly address: string; readonly port: number }>,
  log: Log,
): void {
  for (const { address, port } of spare)
    log.warn({ event: 'socket-unused', address, port }, `no listener is configured for ${address} port ${port}`);
}
