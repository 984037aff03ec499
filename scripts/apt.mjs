/** Installs packages of the distribution, where this user may. */
import { spawnSync } from 'node:child_process';

/** For one command, ms: package servers may be slow, and another installation may be under way. */
const PATIENCE_MS = 300_000;

/** What to put before a command that is for root alone; null where this user may not. */
export function asRoot() {
  if (process.getuid?.() === 0) return [];
  return run('sudo', '-n', 'true') === null ? null : ['sudo', '-n'];
}

export function hasApt() {
  return run('apt-get', '--version') !== null;
}

/** Installs packages. Returns what apt-get complained of, or null when it did not. @param root as `asRoot` says */
export function aptInstall(root, ...packages) {
  const apt = [
    ...root,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'RUNLEVEL=1',
    'apt-get',
    '-o',
    'DPkg::Lock::Timeout=120',
  ];
  // What cannot be updated may still be known from the last time.
  attempt(...apt, 'update');
  const { stderr } = attempt(...apt, 'install', '-y', '--no-install-recommends', ...packages);
  return /^E: (.*)$/m.exec(stderr)?.[1].replace(/[.\s]+$/, '') ?? null;
}

/** What a command printed, or null when it failed or does not exist. */
export function run(...command) {
  const { status, stdout } = attempt(...command);
  return status === 0 ? stdout : null;
}

function attempt(command, ...args) {
  const result = spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  return { status: result.status, stdout: result.stdout ?? '', stderr: result.stderr ?? '' };
}
