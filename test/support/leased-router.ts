/** Routers that tests use one after another: starting one takes half a second of CPU. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { ask } from './client.ts';
import { eventually } from './eventually.ts';
import { type Owner, type Router, type RouterOptions, startRouter } from './router.ts';

/** What a test may choose of a router that others use, too; the other options of a router are for one of its own. */
export type LeaseOptions = Pick<RouterOptions, 'routes' | 'server' | 'config'>;

interface Lease {
  /** Its configuration, as text. */
  readonly key: string;
  readonly router: Router;
  /** What ends the router. */
  readonly ends: (() => unknown)[];
  isTaken: boolean;
}

/** So many routers are kept for other tests. */
const MAX_IDLE = 4;

/** All routers that were started here and not ended, the one that was left last at the end. */
let leases: Lease[] = [];
let count = 0;

// Here, and not in `leaseRouter`: inside a test, node:test would take it for that test's.
after(async () => {
  await Promise.all(leases.splice(0).map(end));
});

/**
 * A router with this configuration and these routes: one that an earlier test of this process has left, or a new one. To
 * be used like that of `startRouter`, by tests that do not end it, reload it or count what it does from its start. It is
 * left to other tests with the end of the owner. Rejects for several workers, and for a driver.
 *
 * Its log and access log begin empty. No dead mark is left of earlier tests, since each has backends at ports of its own.
 * What stays: what a router counts by frontend, such as requests for rate limits; that it has suppressed lines of an event
 * that it logged often; and, for a while, that it is overloaded.
 */
export async function leaseRouter(t: Owner, { routes = {}, ...options }: LeaseOptions): Promise<Router> {
  const { server = {}, config = {} } = options;
  if ((server['workers'] ?? 1) !== 1 || config['driver'] !== undefined)
    throw new Error('a router that tests lease has one worker, and its routes in a file');
  const key = JSON.stringify(options);
  const known = leases.find(({ key: other, isTaken, router }) => other === key && !isTaken && isRunning(router));
  const lease = known ?? (await start(key, { ...options, routes }));
  lease.isTaken = true;
  if (known) await reroute(known.router, routes, writesAccessLog(options));
  t.after(() => leave(lease));
  return lease.router;
}

async function start(key: string, options: RouterOptions): Promise<Lease> {
  const ends: (() => unknown)[] = [];
  const router = await startRouter({ after: (each) => ends.push(each) }, options);
  const lease = { key, router, ends, isTaken: true };
  leases.push(lease);
  return lease;
}

function isRunning({ process: { exitCode, signalCode } }: Router): boolean {
  return exitCode === null && signalCode === null;
}

/** The router is free for other tests; the one that has been so longest is ended if there are too many. */
async function leave(lease: Lease): Promise<void> {
  lease.isTaken = false;
  leases = [...leases.filter((each) => each !== lease), lease];
  const idle = leases.filter(({ isTaken }) => !isTaken);
  const [oldest] = idle;
  if (oldest === undefined || idle.length <= MAX_IDLE) return;
  leases = leases.filter((each) => each !== oldest);
  await end(oldest);
}

async function end({ ends }: Lease): Promise<void> {
  for (const each of ends.toReversed()) await each();
}

function writesAccessLog({ server = {} }: LeaseOptions): boolean {
  return server['accessLog'] === undefined;
}

/** Gives a router other routes. Resolves when its only worker has them, and what it has logged until then is forgotten. */
async function reroute(router: Router, routes: RouterOptions['routes'], hasAccessLog: boolean): Promise<void> {
  count++;
  const [host, path] = [`lease-${count}.test`, `/lease-${count}`];
  const text = JSON.stringify({ ...routes, [host]: ['lease', 'redirect://lease.test/ 307'] });
  const next = join(router.folder, 'routes.json.next');
  const from = router.log.length;
  writeFileSync(next, text);
  renameSync(next, join(router.folder, 'routes.json'));
  await router.event('routes-loaded', from);
  const tls = router.urls[0]?.startsWith('https:') ? { tls: { rejectUnauthorized: false } } : {};
  await eventually(async () => {
    const { status } = await ask({ port: router.port, host, path, ...tls });
    if (status !== 307) throw new Error(`status ${status} for a route that was added`);
  });
  // Lines are written in the order in which exchanges end: those of earlier tests have come by then.
  if (hasAccessLog) await router.line(new RegExp(`${path}\\b.* 307 `));
  router.forget();
}
