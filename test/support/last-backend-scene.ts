/** Sites on routers of every store, to whose backends happens what would mark the last living one dead. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRawBackend } from './backends.ts';
import { type Answer, type Ask, ask } from './client.ts';
import { deathsOf } from './deaths.ts';
import { eventually } from './eventually.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { type LogEntry, type Owner, type Router, startRouter } from './router.ts';

/** What uWSGI takes of a request head by default, bytes. */
export const BUFFER = 4_096;
export const LARGE = { headers: { cookie: 'x'.repeat(6 * 1_024) } } as const;

/** A router with a site, and the server that has its routes. */
export interface Scene {
  readonly router: Router;
  readonly redis: TestRedis | null;
  readonly site: string;
}

/** A running router, to which sites can be added. */
export interface Host {
  readonly router: Router;
  readonly redis: TestRedis | null;
  /** Resolves when every worker has it. */
  readonly add: (site: string, urls: readonly string[]) => Promise<unknown>;
}

export type Settings = Readonly<Record<string, unknown>>;

export async function onRedis(owner: Owner, config: Settings = {}, server: Settings = {}): Promise<Host> {
  const redis = await startRedis(owner);
  const driver = `redis://127.0.0.1:${redis.port}`;
  const router = await startRouter(owner, { server: { workers: 2, ...server }, config: { driver, ...config } });
  return { router, redis, add: (site, urls) => redis.cli('rpush', `frontend:${site}`, 'site', ...urls) };
}

export async function onFile(owner: Owner, server: Settings = {}): Promise<Host> {
  const routes: Record<string, readonly string[]> = {};
  const router = await startRouter(owner, { routes, server: { workers: 2, ...server } });
  const add = async (site: string, urls: readonly string[]): Promise<void> => {
    routes[site] = ['site', ...urls];
    // A worker takes the whole file at once: one that has the second has the first.
    routes[`with-${site}`] = ['with', 'redirect://elsewhere.test/ 302'];
    writeFileSync(join(router.folder, 'routes.json'), JSON.stringify(routes));
    await eventually(() => assertAll({ router, site: `with-${site}` }, 302));
  };
  return { router, redis: null, add };
}

let sites = 0;

/** A site of a test's own. */
export async function siteOn({ router, redis, add }: Host, urls: readonly string[]): Promise<Scene> {
  const site = `site-${++sites}.test`;
  await add(site, urls);
  return { router, redis, site };
}

/** A uWSGI server: it closes the connection of a request whose head is too large for it, without a word. */
export async function startPicky(t: Owner): Promise<string> {
  const { url } = await startRawBackend(t, (socket) => {
    let head = '';
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1');
      if (head.length > BUFFER) socket.destroy();
      if (head.length > BUFFER || !head.includes('\r\n\r\n')) return;
      head = '';
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });
  return url;
}

/** Asks so often that each worker has surely been asked, and expects the same status each time. */
export async function assertAll(scene: Pick<Scene, 'router' | 'site'>, status: number): Promise<void> {
  for (let i = 0; i < 20; i++) assert.equal((await askAt(scene)).status, status, `request ${i}`);
}

export function askAt(
  { router, site }: Pick<Scene, 'router' | 'site'>,
  request: Omit<Ask, 'port'> = {},
): Promise<Answer> {
  return ask({ port: router.port, host: site, ...request });
}

export const idsDead = ({ router, site }: Scene): ReadonlySet<unknown> =>
  new Set(deathsOf(router, site).map(({ id }) => id));

/** What the log says of the last living backend of a site. */
export function lastBackend({ router, site }: Scene): Promise<LogEntry> {
  return router.until(`last backend of ${site}`, () =>
    router.log.find(({ event, frontend }) => event === 'last-backend' && frontend === site),
  );
}
