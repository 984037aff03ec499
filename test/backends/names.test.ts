import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { askDns, type Found } from '../../lib/backends/dialing/ask-dns.ts';
import { Names } from '../../lib/backends/dialing/names.ts';
import { startDns, type TestDns } from '../support/dns.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/router.ts';
import { parseHosts, parseSearch, searched } from '../../lib/backends/dialing/system-files.ts';

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
  scene.now = 7_499;
  assert.equal((await scene.names.find('a.test')).length, 2);
  assert.deepEqual(scene.asked.toSorted(), ['A a.test', 'AAAA a.test']);
});

for (const ttl of [1, 300]) {
  test(`the first who asks after a pause is given the new address (TTL ${ttl} s)`, async (t) => {
    const scene = await begin(t);
    scene.zone.set('a.test', { addresses: ['192.0.2.1'], ttl });
    assert.deepEqual(await scene.names.find('a.test'), ['192.0.2.1']);
    scene.zone.set('a.test', { addresses: ['192.0.2.2'], ttl });
    scene.now = ttl * 1_000;
    assert.deepEqual(await scene.names.find('a.test'), ['192.0.2.2']);
  });
}

test('a reply with a TTL of 0 serves the lookups that wait for it, and no later ones', async (t) => {
  const scene = await begin(t);
  scene.zone.set('a.test', { addresses: ['192.0.2.1'], ttl: 0 });
  await Promise.all(Array.from({ length: 50 }, () => scene.names.find('a.test')));
  assert.equal(scene.asked.length, 2);
  scene.zone.set('a.test', { addresses: ['192.0.2.2'], ttl: 0 });
  assert.deepEqual(await scene.names.find('a.test'), ['192.0.2.2']);
});

test('a name in use is looked up again before its reply expires, and no request waits for that', async (t) => {
  const scene = await begin(t);
  scene.zone.set('a.test', { addresses: ['192.0.2.1'], ttl: 10 });
  await scene.names.find('a.test');
  scene.zone.set('a.test', { addresses: ['192.0.2.2'], ttl: 10 });
  scene.now = 7_500;
  assert.deepEqual(await scene.names.find('a.test'), ['192.0.2.1']);
  await eventually(async () => assert.deepEqual(await scene.names.find('a.test'), ['192.0.2.2']));
  assert.equal(scene.asked.length, 4);
});

test('while the resolver is silent the last answer serves, for an hour; only the first wait for it', async (t) => {
  const scene = await begin(t);
  scene.zone.set('a.test', { addresses: ['192.0.2.1'], ttl: 1 });
  await scene.names.find('a.test');
  scene.zone.set('a.test', 'silent');
  scene.now = 3_600_000;
  const startedAt = performance.now();
  const both = await Promise.all([scene.names.find('a.test'), scene.names.find('a.test')]);
  assert.deepEqual(both, [['192.0.2.1'], ['192.0.2.1']]);
  const waitedMs = performance.now() - startedAt;
  assert.ok(waitedMs > 1_500, `${waitedMs} ms`);
  assert.deepEqual(await scene.names.find('a.test'), ['192.0.2.1']);
  assert.ok(performance.now() - startedAt - waitedMs < 1_500);
  scene.now = 3_602_000;
  await assert.rejects(scene.names.find('a.test'), { code: 'ETIMEOUT' });
});

test('a name that there is not is asked for again after 2 s, and one that is gone is gone at once', async (t) => {
  const scene = await begin(t);
  await assert.rejects(scene.names.find('a.test'), { code: 'ENOTFOUND' });
  scene.zone.set('a.test', { addresses: ['192.0.2.1'], ttl: 1 });
  scene.now = 1_999;
  await assert.rejects(scene.names.find('a.test'), { code: 'ENOTFOUND' });
  scene.now = 2_000;
  assert.deepEqual(await scene.names.find('a.test'), ['192.0.2.1']);
  scene.zone.delete('a.test');
  scene.now = 3_000;
  await assert.rejects(scene.names.find('a.test'), { code: 'ENOTFOUND' });
});

test('the holder of a connection to an address is notified when the name resolves elsewhere, or to nothing', async (t) => {
  const scene = await begin(t, { hosts: '127.0.0.7 alias\n' });
  const moved: string[] = [];
  const hold = (name: string, address: string): (() => void) =>
    scene.names.hold(name, address, () => moved.push(`${name} ${address}`));
  scene.zone.set('a.test', { addresses: ['192.0.2.1', '192.0.2.2'], ttl: 1 });
  await scene.names.find('a.test');
  hold('a.test', '192.0.2.1');
  hold('a.test', '192.0.2.2');
  hold('a.test', '192.0.2.1')();
  hold('alias', '127.0.0.7');
  scene.zone.set('a.test', { addresses: ['192.0.2.2'], ttl: 1 });
  scene.now = 4_999;
  scene.names.watch();
  assert.equal(scene.asked.length, 2, 'not each second');
  scene.now = 5_000;
  scene.names.watch();
  await eventually(() => assert.deepEqual(moved, ['a.test 192.0.2.1']));
  scene.zone.set('a.test', 'silent');
  scene.now = 10_000;
  scene.names.watch();
  await eventually(() => assert.equal(scene.asked.length, 6));
  writeFileSync(scene.hostsPath, '127.0.0.8 alias\n');
  scene.names.watch();
  assert.deepEqual(moved, ['a.test 192.0.2.1', 'alias 127.0.0.7']);
  scene.zone.delete('a.test');
  await eventually(async () => {
    scene.now += 5_000;
    scene.names.watch();
    assert.deepEqual(moved.at(-1), 'a.test 192.0.2.2');
  }, 10_000);
});

test('of a family that was not heard of in time, nothing is concluded', async () => {
  const clock = { now: 0 };
  const answers: Found[] = [
    { addresses: ['192.0.2.1', '2001:db8::1'], ttlMs: 1_000, unheard: 0 },
    { addresses: ['2001:db8::2'], ttlMs: 1_000, unheard: 4 },
  ];
  const ask = async (): Promise<Found> => answers.shift() ?? assert.fail('asked too often');
  const names = new Names({ ask, hostsPath: '/nowhere', resolvPath: '/nowhere', now: () => clock.now });
  await names.find('a.test');
  const moved: string[] = [];
  for (const address of ['192.0.2.1', '2001:db8::1']) names.hold('a.test', address, () => moved.push(address));
  clock.now = 5_000;
  assert.deepEqual(await names.find('a.test'), ['2001:db8::2']);
  names.watch();
  assert.deepEqual(moved, ['2001:db8::1']);
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
  assert.deepEqual(await scene.names.find('alias'), ['127.0.0.8']);
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
  // Or more, where a second has passed meanwhile.
  await eventually(() => assert.ok(scene.asked.length >= 40));
  await readFile(scene.hostsPath);
  assert.equal(settled, 0);
  await Promise.all(waiting);
});
