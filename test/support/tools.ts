import { spawnSync } from 'node:child_process';

/** Why tests with a program cannot run here, for `skip`; false when they can. */
export function missing(program: string): string | false {
  const { status } = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program]);
  return status === 0 ? false : `${program} is not installed`;
}
