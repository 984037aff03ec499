import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hopByHop } from '../../lib/core/http/hop-by-hop.ts';

const ALWAYS = ['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade', 'http2-settings'];

test('fields about one connection are left out', () => {
  assert.deepEqual([...hopByHop(['Host', 'a.test'])], ALWAYS);
});

test('what Connection names is left out too, in any case and over several fields', () => {
  const dropped = hopByHop(['CONNECTION', 'close, X-Hop ,x-other', 'Accept', '*/*', 'connection', 'X-Third']);
  assert.deepEqual([...dropped], [...ALWAYS, 'x-hop', 'x-other', 'x-third']);
});

test('one message says nothing about the next', () => {
  hopByHop(['Connection', 'Accept']);
  assert.equal(hopByHop(['Connection', 'close']).has('accept'), false);
});

for (const name of [
  'Host',
  'Content-Length',
  'Transfer-Encoding',
  'Trailer',
  'Forwarded',
  'X-Forwarded-For',
  'X-Forwarded-Anything',
  'X-Real-IP',
  'X-Request-Id',
]) {
  test(`Connection may not take ${name} away`, () => {
    assert.equal(hopByHop(['Connection', `keep-alive, ${name}`]).has(name.toLowerCase()), false);
  });
}

test('empty list items name nothing', () => {
  assert.deepEqual([...hopByHop(['Connection', ' , ,,'])], ALWAYS);
});
