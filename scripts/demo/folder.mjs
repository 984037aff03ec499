/** The demo's folder: its routes and its configurations. The clone stays as it was. */
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Writes everything into a new temporary folder. `redisPort` is for whoever tries the same with Redis. */
export function makeFolder({ port, adminPort, redisPort, backends }) {
  const folder = mkdtempSync(join(tmpdir(), 'hipache-demo-'));
  const path = (name) => join(folder, name);
  const write = (name, content) => writeFileSync(path(name), `${JSON.stringify(content, null, 2)}\n`);
  // Short limits: who ends a demo does not want to wait for an open browser tab.
  const server = { workers: 2, accessLog: '-', drain: { requests: 1, tunnels: 1 } };
  const account = accountForRoot();
  const base = { server, ...(account && { user: account.name }) };
  write('routes.json', { 'demo.localhost': ['demo', ...backends.map(({ url }) => url)] });
  write('config.json', { ...base, http: { port }, driver: 'file:routes.json', admin: { port: adminPort } });
  write('redis.json', { ...base, http: { port: redisPort }, driver: 'redis://127.0.0.1:6379' });
  // Who edits routes in the dashboard is that user.
  if (account) for (const name of ['', 'routes.json']) chownSync(path(name), account.uid, account.gid);
  return {
    routes: path('routes.json'),
    config: path('config.json'),
    redisConfig: path('redis.json'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Started by root, workers become www-data; some systems have no such user. */
function accountForRoot() {
  if (process.getuid?.() !== 0) return null;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  const accounts = lines.map((line) => line.split(':')).map(([name, , uid, gid]) => ({ name, uid: +uid, gid: +gid }));
  const wanted = ['www-data', 'nobody', 'root'].map((name) => accounts.find((account) => account.name === name));
  return wanted.find(Boolean) ?? null;
}
