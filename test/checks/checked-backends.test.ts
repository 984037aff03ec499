import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkedBackends } from '../../lib/checks/checked-backends.ts';
import type { DueList } from '../../lib/store/checks.ts';

const A = 'http://10.0.0.1:8080';
const B = 'http://[::2]:81/';

function due(key: string, rest: Partial<DueList> = {}): DueList {
  const nothing = { fields: new Map(), dead: [], marks: [], down: [], results: new Map() };
  return { key, list: ['site', A, ` ${B} `], ...nothing, ...rest };
}

const hostsOf = (key: string, ...urls: readonly string[]): readonly string[] =>
  checkedBackends(due(key, urls.length === 0 ? {} : { list: ['site', ...urls] })).map(({ host }) => host);
const markedOf = (list: DueList): readonly boolean[] => checkedBackends(list).map(({ isMarked }) => isMarked);

test('a check asks for the host of the list, or of a wildcard for what its hosts have in common', () => {
  assert.deepEqual(hostsOf('www.x.io'), ['www.x.io', 'www.x.io']);
  assert.deepEqual(hostsOf('www.x.io/api'), ['www.x.io', 'www.x.io']);
  assert.deepEqual(hostsOf('*.x.io'), ['x.io', 'x.io']);
  assert.deepEqual(hostsOf('*.x.io/api'), ['x.io', 'x.io']);
  assert.deepEqual(hostsOf('*'), ['10.0.0.1', '[::2]']);
  assert.deepEqual(hostsOf('*', 'http://[unix:/run/a.sock]/'), ['localhost']);
  assert.deepEqual(hostsOf('::1'), ['[::1]', '[::1]']);
  assert.deepEqual(hostsOf('[::1]'), ['[::1]', '[::1]']);
});

test('a backend is marked by the mark of a router for its URL, or by its URL among those that are down', () => {
  assert.deepEqual(markedOf(due('x.io', { dead: ['0', '1'], marks: ['1', B] })), [false, true]);
  assert.deepEqual(markedOf(due('x.io', { dead: ['0'], marks: ['0', B] })), [false, false]);
  assert.deepEqual(markedOf(due('*.x.io', { down: [B, 'http://10.0.0.9'] })), [false, true]);
});
