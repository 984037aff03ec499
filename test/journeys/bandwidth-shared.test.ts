/** `bandwidthSite` holds for all routers and workers together. */
// @one-lane: sites with a bandwidth are served by the full lane
// @calm: it measures by the clock what three routers let through
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startBackend } from '../support/backends.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

const RATE = 1_000_000;

/** A backend whose response is endless. */
async function startEndless(t: TestContext): Promise<string> {
  const piece = Buffer.alloc(65_536);
  const { url } = await startBackend(t, (_request, response) => {
    const send = (): void => {
      while (response.write(piece));
    };
    response.on('drain', send);
    send();
  });
  return url;
}

interface Download {
  bytes: number;
  readonly response: IncomingMessage;
}

async function startDownload(t: TestContext, port: number): Promise<Download> {
  const out = request({ host: '127.0.0.1', port, headers: { host: 'site.test' }, agent: false });
  out.on('error', () => {});
  t.after(() => out.destroy());
  out.end();
  const [response] = (await once(out, 'response')) as [IncomingMessage];
  const download = { bytes: 0, response };
  response.on('data', (part: Buffer) => (download.bytes += part.length));
  response.on('error', () => {});
  return download;
}

/** Bytes per second of each, in the next three seconds. */
async function ratesOf(downloads: readonly Download[]): Promise<readonly number[]> {
  const startedAt = performance.now();
  const before = downloads.map(({ bytes }) => bytes);
  await delay(3_000);
  const seconds = (performance.now() - startedAt) / 1000;
  return downloads.map(({ bytes }, i) => (bytes - (before[i] ?? 0)) / seconds);
}

function assertShared(rates: readonly number[], what: string): void {
  const all = rates.reduce((sum, rate) => sum + rate, 0);
  assert.ok(Math.abs(all - RATE) <= RATE / 10, `${what}: ${all} of ${RATE}`);
  const part = RATE / rates.length;
  for (const rate of rates) assert.ok(Math.abs(rate - part) <= part / 3, `${what}: ${rate} of ${part}`);
}

test('responses of two routers share the bandwidth of a site, each alike, and one alone has all of it', async (t) => {
  const redis = await startRedis(t);
  await redis.cli('rpush', 'frontend:site.test', 'site', await startEndless(t));
  await redis.cli('hset', 'options:site.test', 'bandwidthSite', String(RATE));
  const config = { driver: `redis://127.0.0.1:${redis.port}` };
  const [first, second] = await Promise.all([startRouter(t, { config }), startRouter(t, { config })]);
  const ports = [first.port, second.port, second.port, second.port];
  const downloads = await Promise.all(ports.map((port) => startDownload(t, port)));
  await delay(2_000);
  assertShared(await ratesOf(downloads), 'four');
  for (const { response } of downloads.slice(1)) response.destroy();
  await delay(2_000);
  assertShared(await ratesOf(downloads.slice(0, 1)), 'one');
});
