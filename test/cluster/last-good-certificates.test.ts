import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastGoodFromMaster } from '../../lib/cluster/worker/last-good-certificates.ts';
import { LastGoodCertificates } from '../../lib/cluster/master/last-good-certificates.ts';
import type { ToMaster } from '../../lib/cluster/messages.ts';
import type { StoredPair } from '../../lib/store/certificates.ts';

const REDIS = 'redis://127.0.0.1';

function pairOf(text: string): StoredPair {
  return { type: 'pair', certificate: text, key: text };
}

function open(): { readonly pairs: LastGoodCertificates; readonly told: string[] } {
  const told: string[] = [];
  return { pairs: new LastGoodCertificates((source, { key, is }) => void told.push(`${source} ${key} ${is}`)), told };
}

test('the master keeps the last pair of each key and source, and tells of others alone', () => {
  const { pairs, told } = open();
  for (const text of ['one', 'one', 'two']) pairs.keep({ source: REDIS, key: 'a.test', pair: pairOf(text) }, null);
  pairs.keep({ source: 'file:/r.json', key: 'a.test', pair: pairOf('three') }, null);
  assert.deepEqual(told, [`${REDIS} a.test new`, `${REDIS} a.test new`, 'file:/r.json a.test new']);
  assert.equal(pairs.find(REDIS, 'a.test')?.key, 'two');
  assert.equal(pairs.find(REDIS, 'b.test'), null);
  pairs.keepOnly('file:/r.json');
  assert.deepEqual([pairs.keysOf(REDIS), pairs.keysOf('file:/r.json')], [[], ['a.test']]);
});

test('there is an end to what it keeps: pairs, and their texts', () => {
  const { pairs, told } = open();
  for (let i = 0; i < 4_010; i++) pairs.keep({ source: REDIS, key: `${i}.test`, pair: pairOf('x') }, null);
  assert.equal(pairs.all().length, 4_000);
  assert.equal(told.filter((each) => each.endsWith('unknown')).length, 10);
  const long = 'x'.repeat(256 * 1024);
  for (let i = 0; i < 200; i++) pairs.keep({ source: REDIS, key: `${i}.long.test`, pair: pairOf(long) }, null);
  assert.equal(pairs.all().length, 128);
});

test('a worker asks for what the master has, once at a time, and waits for no longer than a second', async (t) => {
  const said: ToMaster[] = [];
  const worker = new LastGoodFromMaster(['a.test'], (message) => void said.push(message));
  assert.equal(await worker.recall('b.test'), null);
  assert.deepEqual(said, []);
  const both = [worker.recall('a.test'), worker.recall('a.test')];
  assert.deepEqual(said, [{ type: 'want-pair', key: 'a.test' }]);
  worker.take('a.test', pairOf('one'));
  assert.deepEqual(
    (await Promise.all(both)).map((pair) => pair?.key),
    ['one', 'one'],
  );
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const late = worker.recall('a.test');
  t.mock.timers.tick(1_000);
  assert.equal(await late, null);
  worker.hear({ key: 'a.test', is: 'gone' });
  assert.equal(await worker.recall('a.test'), null);
  worker.drop('a.test');
  assert.equal(said.length, 2);
});
