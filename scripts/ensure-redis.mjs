/** Sees to it that there is a redis-server for the tests: installs Debian's where it may, says so where it may not. */
import { spawnSync } from 'node:child_process';

/** Whether `redis-server` can be run now. Says why not in one sentence. */
export function ensureRedis() {
  if (runs('redis-server', '--version')) return true;
  if (runs('apt-get', '--version')) {
    const root = process.getuid?.() === 0 ? [] : runs('sudo', '-n', 'true') ? ['sudo', '-n'] : null;
    if (root) {
      console.error('The tests need redis-server: installing it from the distribution.');
      // Without this, the package starts a server that nobody asked for.
      const env = ['env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1'];
      const apt = (...args) =>
        spawnSync([...root, ...env, 'apt-get', ...args][0], [...root, ...env, 'apt-get', ...args].slice(1), {
          stdio: ['ignore', 'ignore', 'inherit'],
        });
      apt('update');
      apt('install', '-y', '--no-install-recommends', 'redis-server', 'openssl');
      if (runs('redis-server', '--version')) return true;
    }
  }
  console.error(
    'The tests need a redis-server on the PATH, and this process may not install one: install Redis 6 or newer, then run them again.',
  );
  return false;
}

function runs(command, ...args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
