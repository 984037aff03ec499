import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileAdvice } from '../../lib/store/editor/file-advice.ts';
import { RedisAdvice } from '../../lib/store/editor/redis-advice.ts';
import { faultsOfList } from '../../lib/diagnostics/list-faults.ts';

const URLS = { backendPath: false, legacyScheme: false };
const A = 'http://10.0.0.1:80';
const B = 'http://10.0.0.2:80';
const C = 'http://10.0.0.3:80';

function told(holds: readonly string[], advice = new RedisAdvice('', URLS)): readonly string[] {
  const held = { key: 'frontend:x.io', type: 'list', holds, length: holds.length, secondsLeft: null };
  return faultsOfList('x.io', held, advice).map((fault) => `${fault.code} | ${fault.advice}`);
}

test('a list that was provisioned two or three times over has one fault, and is cut to what it was', () => {
  const expected = ['provisioned-twice | LTRIM frontend:x.io 0 2'];
  assert.deepEqual(told(['site', A, B, 'site', A, B]), expected);
  assert.deepEqual(told(['site', A, B, 'site', A, B, 'site', A, B]), expected);
  const held = { key: 'x.io', type: 'list', holds: ['site', A, 'site', A], length: 4, secondsLeft: null };
  assert.deepEqual(
    faultsOfList('x.io', held, new FileAdvice(URLS)).map(({ advice }) => advice),
    ['keep the first 2 elements of "x.io"'],
  );
});

test('one that was provisioned again with other backends keeps all of them', () => {
  assert.deepEqual(told(['site', A, B, 'site', A, C]), [
    'provisioned-twice | LREM frontend:x.io -1 site',
    `duplicate | LREM frontend:x.io -1 ${A}`,
  ]);
  assert.deepEqual(told(['site', A, 'site', B, 'site', C]), ['provisioned-twice | LREM frontend:x.io -2 site']);
  assert.deepEqual(told(['site', 'site']), ['provisioned-twice | LREM frontend:x.io -1 site']);
});

test('an identifier that stands there once is no fault, nor is a backend twice one of this kind', () => {
  assert.deepEqual(told(['site', A, B]), []);
  assert.deepEqual(told(['site', A, A]), [`duplicate | LREM frontend:x.io -1 ${A}`]);
});
