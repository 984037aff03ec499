/** Sees to it that there is a redis-server for the tests: installs Debian's where it may, says so where it may not. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const OLDEST = 6;
/** For one command, ms: package servers may be slow, and another installation may be under way. */
const PATIENCE_MS = 300_000;

/** Whether `redis-server` can be run now. Says why not in one sentence. */
export function ensureRedis() {
  const version = redisVersion();
  if (version !== null && version >= OLDEST) return true;
  const reason = version === null ? install() : `the one here is of version ${version}`;
  if (reason === null) return true;
  console.error(
    `The tests need redis-server ${OLDEST} or newer on the PATH, and ${reason}: install it, then run them again.`,
  );
  return false;
}

/** Installs it from the distribution. Returns null, or why it is not there. */
function install() {
  if (run('apt-get', '--version') === null) return 'there is none, nor apt-get to install it with';
  const root = process.getuid?.() === 0 ? [] : run('sudo', '-n', 'true') === null ? null : ['sudo', '-n'];
  if (root === null) return 'there is none, and this user may not install it';
  console.error('The tests need redis-server: installing it from the distribution.');
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
  const { stderr } = attempt(...apt, 'install', '-y', '--no-install-recommends', 'redis-server', 'openssl');
  // Where RUNLEVEL is not heeded, the package has started a server that nobody asked for.
  if (existsSync('/run/systemd/system')) run(...root, 'systemctl', 'disable', '--now', 'redis-server');
  else run(...root, 'service', 'redis-server', 'stop');
  if ((redisVersion() ?? 0) >= OLDEST) return null;
  const complaint = /^E: (.*)$/m.exec(stderr)?.[1] ?? 'the distribution has none, or too old a one';
  return `it could not be installed (${complaint.replace(/[.\s]+$/, '')})`;
}

/** The major version, or null when there is none. Valkey goes by this name on some systems, and serves as well. */
function redisVersion() {
  const text = run('redis-server', '--version');
  return text === null ? null : Number(/v=([0-9]+)/.exec(text)?.[1] ?? 0);
}

/** What a command printed, or null when it failed or does not exist. */
function run(...command) {
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
