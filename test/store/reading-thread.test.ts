import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { readAside } from '../../lib/store/file/reading-thread.ts';
import { RoutesImage } from '../../lib/store/file/routes-image.ts';
import type { BadReading } from '../../lib/store/file/routes-reading.ts';
import { temporaryFolder } from '../support/router.ts';
import { manyRoutes } from '../support/routes.ts';

const NEVER = new AbortController().signal;

test('while 100,000 frontends are read, the event loop has next to nothing to do', async (t) => {
  const path = join(temporaryFolder(t), 'routes.json');
  writeFileSync(path, JSON.stringify(Object.fromEntries(manyRoutes(100_000)), null, 1));
  const before = performance.eventLoopUtilization();
  const reading = await readAside(path, null, NEVER);
  const { utilization } = performance.eventLoopUtilization(before);
  assert.ok(reading.type === 'good');
  assert.equal(reading.frontends, 100_000);
  assert.equal(new RoutesImage(reading.image).get('site-99999.test')?.[0], 'name 99999');
  // On the loop it would be 1.
  assert.ok(utilization < 0.5, `the loop was busy for ${Math.round(utilization * 100)} % of the time`);
  assert.equal(await readAside(path, reading, NEVER), reading, 'a file that did not change is not looked into');
});

test('a reading that is given up ends at once', async (t) => {
  const path = join(temporaryFolder(t), 'routes.json');
  writeFileSync(path, JSON.stringify(Object.fromEntries(manyRoutes(100_000))));
  const giveUp = new AbortController();
  const reading = readAside(path, null, giveUp.signal);
  giveUp.abort();
  const given = { type: 'bad', digest: null, fault: 'was aborted' };
  assert.deepEqual(await reading, given);
  assert.deepEqual(await readAside(path, null, giveUp.signal), given);
});

test('where no thread can be started, the file is one that cannot be read', async (t) => {
  const path = join(temporaryFolder(t), 'routes.json');
  writeFileSync(path, '{}');
  const { href } = new URL('../../lib/store/file/reading-thread.js', import.meta.url);
  const script = `const { readAside } = await import(${JSON.stringify(href)});
    console.log(JSON.stringify(await readAside(${JSON.stringify(path)}, null, new AbortController().signal)));`;
  // Without rights of its own a process has no threads: that is thrown, as is that the system has none left.
  const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
  const args = ['--no-warnings', flag, '--allow-fs-read=*', '--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
  const { fault, ...reading } = JSON.parse(stdout) as BadReading;
  assert.deepEqual(reading, { type: 'bad', digest: null });
  assert.match(fault, /^cannot be read: Error/);
});

test('a file that is too large is not read', async (t) => {
  const path = join(temporaryFolder(t), 'routes.json');
  writeFileSync(path, '');
  truncateSync(path, 64 * 1024 * 1024 + 1);
  assert.deepEqual(await readAside(path, null, NEVER), { type: 'bad', digest: null, fault: 'is larger than 64 MB' });
});

test('of endless faults the first twenty are told, of endless warnings the first hundred', async (t) => {
  const path = join(temporaryFolder(t), 'routes.json');
  writeFileSync(path, JSON.stringify(Object.fromEntries(manyRoutes(25).map(([key]) => [key, 'x']))));
  const bad = await readAside(path, null, NEVER);
  assert.ok(bad.type === 'bad');
  assert.match(bad.fault, /^"site-0\.test" must be a list.*"site-19\.test" must be a list.*; and 5 more$/);
  writeFileSync(path, JSON.stringify(Object.fromEntries(manyRoutes(70, 'gopher://10.0.0.1'))));
  const good = await readAside(path, null, NEVER);
  assert.ok(good.type === 'good');
  assert.equal(good.warnings.length, 100);
  assert.equal(good.moreWarnings, 40);
});
