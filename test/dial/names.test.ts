import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { askDns } from '../../lib/dial/ask-dns.ts';
import { parseHosts } from '../../lib/dial/hosts-file.ts';
import { Names } from '../../lib/dial/names.ts';
import { parseSearch, searched } from '../../lib/dial/search-list.ts';
import { startDns, type TestDns } from '../support/dns.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/router.ts';

interface Scene extends TestDns {
  readonly names: Names;
  /** ms */
  now: number;
  readonly hostsPath: string;
}

async function begin(t: TestContext, files: { hosts?: string; resolv?: string } = {}): Promise<Scene> {
  const dns = await startDns(t);
  const folder = temporaryFolder(t);
  const hostsPath = join(folder, 'hosts');
  const resolvPath = join(folder, 'resolv.conf');
  writeFileSync(hostsPath, files.hosts ?? '');
  writeFileSync(resolvPath, files.resolv ?? '');
  const ask = askDns([dns.server]);
  const clock = { now: 0 };
  const names = new Names({ ask, hostsPath, resolvPath, now: () => clock.now });
  return Object.assign(clock, { ...dns, hostsPath, names });
}

test('an answer is good for as long as it says, and both families are asked for', async (t) => {
  const scene = await begin(t);
  scene.zone.set('a.test', { addresses: ['192.0.2.1', '2001:db8::1'], ttl: 10 });
  assert.deepEqual(await scene.names.find('a.test'), ['2001:db8::1', '192.0.2.1']);
  scene.zone.set('a.test', { addresses: ['192.0.2.2'], ttl: 10 });
  scene.now = 9_999;
  assert.equal((await scene.names.find('a.test')).length, 2);
  assert.deepEqual(scene.asked.toSorted(), ['A a.test', 'AAAA a.test']);
  scene.now = 10_000;
  assert.equal((await scene.names.find('a.test')).length, 2, 'nobody waits for the new answer');
  await eventually(async () => assert.deepEqual(await scene.names.find('a.test'), ['192.0.2.2']));
  assert.equal(scene.asked.length, 4);
});

test('while the resolver is silent the last answer serves, for an hour', async (t) => {
  const scene = await begin(t);
  scene.zone.set('a.test', { addresses: ['192.0.2.1'], ttl: 1 });
  await scene.names.find('a.test');
  scene.zone.set('a.test', 'silent');
  scene.now = 3_600_000;
  assert.deepEqual(await scene.names.find('a.test'), ['192.0.2.1']);
  scene.now = 3_602_000;
  await assert.rejects(scene.names.find('a.test'), { code: 'ETIMEOUT' });
});

test('a name that there is not is asked for again after 2 s, and one that is gone is gone', async (t) => {
  const scene = await begin(t);
  await assert.rejects(scene.names.find('a.test'), { code: 'ENOTFOUND' });
  scene.zone.set('a.test', { addresses: ['192.0.2.1'], ttl: 1 });
  scene.now = 1_999;
  await assert.rejects(scene.names.find('a.test'), { code: 'ENOTFOUND' });
  scene.now = 2_000;
  assert.deepEqual(await scene.names.find('a.test'), ['192.0.2.1']);
  scene.zone.delete('a.test');
  scene.now = 3_000;
  await scene.names.find('a.test');
  await eventually(() => assert.rejects(scene.names.find('a.test'), { code: 'ENOTFOUND' }));
});

test('many who ask for a name at once are one question', async (t) => {
  const scene = await begin(t);
  scene.zone.set('a.test', { addresses: ['192.0.2.1'], ttl: 1 });
  await Promise.all(Array.from({ length: 50 }, () => scene.names.find('a.test')));
  assert.equal(scene.asked.length, 2);
});

test('/etc/hosts comes first, and is followed as it changes', async (t) => {
  const scene = await begin(t, { hosts: '127.0.0.7 App.internal alias # note\n::7 app.internal\nnonsense x\n' });
  assert.deepEqual(await scene.names.find('app.internal'), ['127.0.0.7', '::7']);
  assert.deepEqual(await scene.names.find('alias'), ['127.0.0.7']);
  assert.deepEqual(await scene.names.find('localhost'), ['127.0.0.1', '::1']);
  writeFileSync(scene.hostsPath, '127.0.0.8 alias\n');
  scene.now = 6_000;
  await eventually(async () => assert.deepEqual(await scene.names.find('alias'), ['127.0.0.8']));
  assert.deepEqual(scene.asked, []);
});

test('short names are completed as resolv.conf says', async (t) => {
  const scene = await begin(t, { resolv: 'search ns.svc.test svc.test.\noptions ndots:2\n' });
  scene.zone.set('web.svc.test', { addresses: ['192.0.2.1'], ttl: 1 });
  scene.zone.set('web', { addresses: ['192.0.2.9'], ttl: 1 });
  assert.deepEqual(await scene.names.find('web'), ['192.0.2.1']);
  assert.deepEqual(await scene.names.find('web.'), ['192.0.2.9']);
  assert.deepEqual(searched('a.b.c', parseSearch('domain x.test')), ['a.b.c', 'a.b.c.x.test']);
  assert.equal(parseHosts('').size, 0);
});

test('addresses take turns, and one that failed comes last for a while', async (t) => {
  const scene = await begin(t);
  scene.zone.set('a.test', { addresses: ['192.0.2.1', '192.0.2.2', '2001:db8::1'], ttl: 100 });
  assert.deepEqual(await scene.names.find('a.test'), ['2001:db8::1', '192.0.2.1', '192.0.2.2']);
  assert.deepEqual(await scene.names.find('a.test'), ['2001:db8::1', '192.0.2.2', '192.0.2.1']);
  scene.names.shun('2001:db8::1');
  assert.deepEqual(await scene.names.find('a.test'), ['192.0.2.1', '192.0.2.2', '2001:db8::1']);
  scene.now = 30_000;
  assert.equal((await scene.names.find('a.test'))[0], '2001:db8::1');
});

test('the families take turns, also among those that failed', async (t) => {
  const scene = await begin(t);
  const [v4, v6] = [
    ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
    ['2001:db8::1', '2001:db8::2'],
  ];
  scene.zone.set('a.test', { addresses: [...v4, ...v6], ttl: 100 });
  const found = await scene.names.find('a.test');
  assert.deepEqual(found, ['2001:db8::1', '192.0.2.1', '2001:db8::2', '192.0.2.2', '192.0.2.3']);
  for (const address of ['2001:db8::1', '2001:db8::2', '192.0.2.2']) scene.names.shun(address);
  const families = (await scene.names.find('a.test')).map((address) => (v4.includes(address) ? 4 : 6));
  assert.deepEqual(families, [4, 4, 6, 4, 6]);
});

test('a resolver that is silent keeps no file waiting', async (t) => {
  const scene = await begin(t);
  let settled = 0;
  const waiting = Array.from({ length: 20 }, async (_, i) => {
    scene.zone.set(`${i}.test`, 'silent');
    await assert.rejects(scene.names.find(`${i}.test`), { code: 'ETIMEOUT' });
    settled++;
  });
  await eventually(() => assert.equal(scene.asked.length, 40));
  await readFile(scene.hostsPath);
  assert.equal(settled, 0);
  await Promise.all(waiting);
});
