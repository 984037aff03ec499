import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultLog } from '../../lib/store/fault-log.ts';
import { ListMemo } from '../../lib/store/redis/list-memo.ts';

test('a fault is reported once a minute, each key and fault for itself', () => {
  let now = 0;
  const told: string[] = [];
  const log = new FaultLog(
    (notice) => told.push(notice.type === 'route-fault' ? notice.key + notice.fault : ''),
    () => now,
  );
  const tellAll = () => {
    log.tell('a', '1');
    log.tell('a', '2');
    log.tell('b', '1');
  };
  tellAll();
  tellAll();
  assert.deepEqual(told, ['a1', 'a2', 'b1']);
  now = 59_999;
  tellAll();
  assert.equal(told.length, 3);
  now = 60_000;
  tellAll();
  assert.equal(told.length, 6);
});

test('endless faults are not remembered endlessly', () => {
  let count = 0;
  const log = new FaultLog(
    () => count++,
    () => 0,
  );
  for (let i = 0; i <= 1000; i++) log.tell(`k${i}`, 'x');
  log.tell('k1000', 'x');
  assert.equal(count, 1001, 'the latest is remembered');
  log.tell('k0', 'x');
  assert.equal(count, 1002, 'the oldest was forgotten');
});

test('the same list is read once, a changed one anew', () => {
  const faults: string[] = [];
  const memo = new ListMemo((_key, fault) => faults.push(fault));
  const read = memo.read('x.io', ['x', 'http://10.0.0.1', 'garbage']);
  assert.equal(memo.read('x.io', ['x', 'http://10.0.0.1', 'garbage']), read);
  assert.equal(faults.length, 1);
  const changed = memo.read('x.io', ['x', 'http://10.0.0.2', 'garbage']);
  assert.notEqual(changed, read);
  assert.equal(changed.backends[0]?.hostname, '10.0.0.2');
  assert.equal(faults.length, 2);
});

test('lists beyond the bound are forgotten, oldest first', () => {
  const memo = new ListMemo(() => {});
  const list = ['x', ...Array.from({ length: 9999 }, () => 'http://10.0.0.1')];
  const reads = Array.from({ length: 11 }, (_, i) => memo.read(`h${i}.io`, list));
  assert.equal(memo.read('h10.io', list), reads[10]);
  assert.notEqual(memo.read('h0.io', list), reads[0]);
});
