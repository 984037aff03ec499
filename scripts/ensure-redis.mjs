/** Sees to it that there is a redis-server for the tests: installs Debian's where it may, says so where it may not. */
import { existsSync } from 'node:fs';
import { aptInstall, asRoot, hasApt, run } from './apt.mjs';

const OLDEST = 6;

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
  if (!hasApt()) return 'there is none, nor apt-get to install it with';
  const root = asRoot();
  if (root === null) return 'there is none, and this user may not install it';
  console.error('The tests need redis-server: installing it from the distribution.');
  const complaint = aptInstall(root, 'redis-server', 'openssl');
  // Where RUNLEVEL is not heeded, the package has started a server that nobody asked for.
  if (existsSync('/run/systemd/system')) run(...root, 'systemctl', 'disable', '--now', 'redis-server');
  else run(...root, 'service', 'redis-server', 'stop');
  if ((redisVersion() ?? 0) >= OLDEST) return null;
  return `it could not be installed (${complaint ?? 'the distribution has none, or too old a one'})`;
}

/** The major version, or null when there is none. Valkey goes by this name on some systems, and serves as well. */
function redisVersion() {
  const text = run('redis-server', '--version');
  return text === null ? null : Number(/v=([0-9]+)/.exec(text)?.[1] ?? 0);
}
