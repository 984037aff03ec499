import { availableParallelism } from 'node:os';
import type { Config } from '../config/config.ts';
import type { Log } from '../observe/log.ts';
import { openFileLimit, roomForClients } from './open-files.ts';

/** With fewer open files a worker takes so few connections that the operator should know. */
const FEW_FILES = 4_096;

/** Tells what an operator should know beforehand. */
export function forewarn({ server: { workers } }: Config, log: Log): void {
  if (workers > 4 * availableParallelism()) log.warn({ event: 'many-workers', workers }, 'far more workers than CPUs');
  const files = openFileLimit();
  if (files < FEW_FILES)
    log.warn(
      { event: 'few-files', files, connections: roomForClients() },
      `each worker may open ${files} files, which is good for ${roomForClients()} connections: others wait`,
    );
}
