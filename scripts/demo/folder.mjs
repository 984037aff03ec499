/** The demo's folder: its routes and its configurations. The clone stays as it was. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Writes everything into a new temporary folder. `redisPort` is for whoever tries the same with Redis. */
export function makeFolder({ port, redisPort, backends }) {
  const folder = mkdtempSync(join(tmpdir(), 'hipache-demo-'));
  const path = (name) => join(folder, name);
  const write = (name, content) => writeFileSync(path(name), `${JSON.stringify(content, null, 2)}\n`);
  // Short limits: who ends a demo does not want to wait for an open browser tab.
  const server = { workers: 2, accessLog: '-', drain: { requests: 1, tunnels: 1 } };
  const base = { server, ...userForRoot() };
  write('routes.json', { 'demo.localhost': ['demo', ...backends.map(({ url }) => url)] });
  write('config.json', { ...base, http: { port }, driver: 'file:routes.json' });
  write('redis.json', { ...base, http: { port: redisPort }, driver: 'redis://127.0.0.1:6379' });
  return {
    routes: path('routes.json'),
    config: path('config.json'),
    redisConfig: path('redis.json'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Started by root, workers become www-data; some systems have no such user. */
function userForRoot() {
  if (process.getuid?.() !== 0) return {};
  const passwd = readFileSync('/etc/passwd', 'utf8');
  const names = new Set(passwd.split('\n').map((line) => line.split(':', 1)[0]));
  return { user: ['www-data', 'nobody'].find((name) => names.has(name)) ?? 'root' };
}
