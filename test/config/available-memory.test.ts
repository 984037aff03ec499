import assert from 'node:assert/strict';
import { test } from 'node:test';
import { availableMemory } from '../../lib/config/available-memory.ts';

const TOTAL = 8_000_000_000;

function available(files: Readonly<Record<string, string>>): number {
  return availableMemory(TOTAL, (path) => files[path] ?? '');
}

test('without control groups it is what the machine has', () => {
  assert.equal(available({}), TOTAL);
  assert.equal(available({ '/proc/self/cgroup': '0::/\n' }), TOTAL);
});

test('version 2: the group has less, or one above it', () => {
  const self = { '/proc/self/cgroup': '0::/system.slice/hipache.service\n' };
  assert.equal(
    available({ ...self, '/sys/fs/cgroup/system.slice/hipache.service/memory.max': '500000000\n' }),
    500_000_000,
  );
  assert.equal(
    available({
      ...self,
      '/sys/fs/cgroup/system.slice/hipache.service/memory.max': 'max\n',
      '/sys/fs/cgroup/system.slice/memory.max': '700000000\n',
    }),
    700_000_000,
  );
});

test('version 2, in a container: only its own root is to be seen', () => {
  const files = { '/proc/self/cgroup': '0::/docker/4711\n', '/sys/fs/cgroup/memory.max': '268435456\n' };
  assert.equal(available(files), 268_435_456);
});

test('version 1: the same, where a limit that is none is a huge number', () => {
  const self = { '/proc/self/cgroup': '9:name=systemd:/\n4:cpu,memory:/docker/4711\n0::/\n' };
  const root = '/sys/fs/cgroup/memory';
  assert.equal(available({ ...self, [`${root}/docker/4711/memory.limit_in_bytes`]: '300000000\n' }), 300_000_000);
  assert.equal(available({ ...self, [`${root}/memory.limit_in_bytes`]: '9223372036854771712\n' }), TOTAL);
});
