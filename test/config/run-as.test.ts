import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGroups, parsePasswd } from '../../lib/config/run-as.ts';
import { asRoot, faultsOf, load, machine } from '../support/configurations.ts';

const as = (content: unknown) => load(content, asRoot).runAs;

test('started as root, workers become www-data', () => {
  assert.deepEqual(as({}), { user: 'www-data', group: 'www-data', uid: 33, gid: 33 });
  assert.deepEqual(as({ user: null, group: null }), { user: 'www-data', group: 'www-data', uid: 33, gid: 33 });
});

test('started as another user, it does not change users, and nothing is checked', () => {
  for (const content of [{}, { user: 'nobody-here', group: 'none' }, { user: '' }]) {
    assert.equal(load(content).runAs, null);
  }
});

test("the group is the one named after the user, else the user's own", () => {
  assert.deepEqual(as({ user: 'www-data' }), { user: 'www-data', group: 'www-data', uid: 33, gid: 33 });
  assert.deepEqual(as({ user: 'ann' }), { user: 'ann', group: 'users', uid: 1001, gid: 100 });
  assert.deepEqual(as({ user: 'ann', group: '' }), { user: 'ann', group: 'users', uid: 1001, gid: 100 });
  assert.deepEqual(as({ user: 'ann', group: 'staff' }), { user: 'ann', group: 'staff', uid: 1001, gid: 50 });
});

test('a user whose group has no name becomes that number', () => {
  const on = { ...asRoot, passwd: () => 'bob:x:1002:4711::/:/bin/sh' };
  assert.deepEqual(load({ user: 'bob' }, on).runAs, { user: 'bob', group: 4711, uid: 1002, gid: 4711 });
});

test('users and groups may be numbers, in quotes or not, known or not', () => {
  assert.deepEqual(as({ user: 1001 }), { user: 'ann', group: 'users', uid: 1001, gid: 100 });
  assert.deepEqual(as({ user: '1001', group: '50' }), { user: 'ann', group: 50, uid: 1001, gid: 50 });
  assert.deepEqual(as({ user: 5000, group: 5000 }), { user: 5000, group: 5000, uid: 5000, gid: 5000 });
});

test('root may stay root when that is said', () => {
  for (const user of ['root', 0, '0']) assert.equal(as({ user }), null);
});

test('an empty user is refused, since root would stay root unsaid', () => {
  assert.deepEqual(faultsOf({ user: '' }, asRoot), [
    'user: must not be empty when started as root; name whom to become, or "root" if that is meant',
  ]);
});

test('a user or a group that does not exist is refused', () => {
  assert.deepEqual(faultsOf({ user: 'bob' }, asRoot), [
    'user: there is no user "bob" on this machine; name one to become after start as root',
  ]);
  assert.deepEqual(faultsOf({ group: 'wheel' }, asRoot), ['group: there is no group "wheel" on this machine']);
});

test('a number that is no user needs a group', () => {
  assert.deepEqual(faultsOf({ user: 5000 }, asRoot), ['group: is required, because user 5000 is not in /etc/passwd']);
});

test('a machine without accounts still takes root and numbers', () => {
  const bare = { ...asRoot, passwd: () => '', group: () => '' };
  assert.equal(load({ user: 'root' }, bare).runAs, null);
  assert.deepEqual(load({ user: 10, group: 10 }, bare).runAs, { user: 10, group: 10, uid: 10, gid: 10 });
});

test('passwd and group are read line by line, and lines that are none are skipped', () => {
  assert.deepEqual(parsePasswd('# a comment\n\nann:x:1001:100:Ann:/home/ann:/bin/sh\n+::::::\nbad:x:y:z::\n'), [
    { name: 'ann', uid: 1001, gid: 100 },
  ]);
  assert.deepEqual(parseGroups('staff:x:50:ann,bob\n+:::\nbroken\n'), [{ name: 'staff', gid: 50 }]);
  assert.equal(parsePasswd(machine.passwd()).length, 3);
});
