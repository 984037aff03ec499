import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answersFor, isShared, type Standing, UNKNOWN_USER } from '../../lib/files/link-rule.ts';

const of = (uid: number, mode: number, gid = uid): Standing => ({ uid, gid, mode });

test('a folder is shared when users other than root and this process’ may make entries in it', () => {
  assert.equal(isShared(of(0, 0o755), 0), false);
  assert.equal(isShared(of(33, 0o755), 33), false);
  assert.equal(isShared(of(0, 0o755), 33), false);
  assert.equal(isShared(of(33, 0o755), 0), true);
  assert.equal(isShared(of(0, 0o1777), 0), true);
  assert.equal(isShared(of(0, 0o775, 50), 0), true);
  assert.equal(isShared(of(0, 0o775, 0), 0), false);
});

test('a link may lead anywhere when root made it where only root can; else to files of who answers for it', () => {
  assert.equal(answersFor(of(0, 0o777), of(0, 0o755), 0), null);
  // As Kubernetes mounts secrets.
  assert.equal(answersFor(of(0, 0o777), of(0, 0o1777), 0), null);
  assert.equal(answersFor(of(0, 0o777), of(0, 0o3777, 2000), 0), null);
  assert.equal(answersFor(of(33, 0o777), of(0, 0o1777), 0), 33);
  assert.equal(answersFor(of(33, 0o777), of(33, 0o755), 0), 33);
  assert.equal(answersFor(of(0, 0o777), of(33, 0o755), 0), 33);
  assert.equal(answersFor(of(0, 0o777), of(0, 0o775, 50), 0), UNKNOWN_USER);
  assert.equal(answersFor(of(33, 0o777), of(33, 0o755), 33), null);
});
