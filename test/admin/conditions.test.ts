// @one-lane: rules, without a router
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCondition, conditionOf } from '../../lib/admin/conditions.ts';
import { NO_SET, tagOf, withHashOf } from '../../lib/store/editor/frontend-set.ts';

const SET = { ...NO_SET, list: ['site', 'http://a'] };
const TAG = tagOf(SET);

function isMet(headers: Readonly<Record<string, string>>, exists = true): boolean {
  const condition = conditionOf(headers);
  assert.ok(condition !== null);
  try {
    checkCondition(condition, SET, exists);
    return true;
  } catch (error) {
    assert.deepEqual((error as { status: number; code: string }).status, 412);
    return false;
  }
}

test('a tag differs when a list or a field does, and not with the order of fields', () => {
  const fields = new Map([
    ['a', '1'],
    ['b', '2'],
  ]);
  const turned = new Map([...fields].toReversed());
  assert.equal(tagOf(withHashOf(SET, 'options', fields)), tagOf(withHashOf(SET, 'options', turned)));
  const others = [
    NO_SET,
    { ...SET, list: ['site', 'http://b'] },
    withHashOf(SET, 'options', fields),
    withHashOf(SET, 'weights', fields),
    withHashOf(SET, 'errors', fields),
  ];
  assert.equal(new Set([TAG, ...others.map(tagOf)]).size, 6);
  assert.match(TAG, /^"[\w-]{27}"$/);
});

test('without a condition there is none, and an invalid one is refused', () => {
  assert.equal(conditionOf({}), null);
  for (const field of ['x', '"', '', '"a" "b"', '*, "a"']) {
    assert.throws(() => conditionOf({ 'if-match': field }), { status: 400, code: 'bad-condition' }, field);
  }
});

test('If-Match asks for what is there, by strong comparison', () => {
  assert.ok(isMet({ 'if-match': TAG }));
  assert.ok(isMet({ 'if-match': `"other", ${TAG}` }));
  assert.ok(isMet({ 'if-match': '*' }));
  assert.ok(!isMet({ 'if-match': '"other"' }));
  assert.ok(!isMet({ 'if-match': `W/${TAG}` }));
  assert.ok(!isMet({ 'if-match': '*' }, false));
  assert.ok(!isMet({ 'if-match': TAG }, false));
});

test('If-None-Match asks for what is not there, by weak comparison', () => {
  assert.ok(!isMet({ 'if-none-match': '*' }));
  assert.ok(isMet({ 'if-none-match': '*' }, false));
  assert.ok(!isMet({ 'if-none-match': `W/${TAG}` }));
  assert.ok(isMet({ 'if-none-match': '"other"' }));
});
