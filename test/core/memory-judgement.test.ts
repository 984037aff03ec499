import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryLimits, expectedBytes, judgeMemory, type Load } from '../../lib/core/limits/memory-judgement.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const NOTHING: Load = {
  connections: 0,
  secureConnections: 0,
  sessions: 0,
  streams: 0,
  tunnels: 0,
  exchanges: 0,
  hosts: 0,
  routesBytes: 0,
  certificates: 0,
};
const LIMITS = { limitMB: 200, ceilingMB: 1000 };

function sample(residentMB: number, expectedMB = 0, heapMB = 50, heapLimitMB = 2000) {
  return {
    residentBytes: residentMB * MIB,
    expectedBytes: expectedMB * MIB,
    heapBytes: heapMB * MIB,
    heapLimitBytes: heapLimitMB * MIB,
  };
}

test('without load a worker may take as much as the limit says', () => {
  assert.equal(judgeMemory(sample(199), LIMITS), null);
  assert.deepEqual(judgeMemory(sample(200), LIMITS), {
    fault: 'growth',
    megabytes: 200,
    expectedMB: 0,
    limitMB: 200,
  });
});

test('what its load accounts for is not held against it, up to the ceiling', () => {
  assert.equal(judgeMemory(sample(999, 800), LIMITS), null);
  assert.equal(judgeMemory(sample(1000, 900), LIMITS)?.fault, 'ceiling');
  assert.equal(judgeMemory(sample(1000, 900), { limitMB: 200, ceilingMB: 0 }), null);
});

test('a heap near its limit is too large: V8 would abort', () => {
  assert.equal(judgeMemory(sample(300, 200, 84, 100), LIMITS), null);
  assert.equal(judgeMemory(sample(300, 200, 85, 100), LIMITS)?.fault, 'heap');
});

test('0 is no limit', () => {
  assert.equal(judgeMemory(sample(50_000, 0, 99, 100), { limitMB: 0, ceilingMB: 0 }), null);
});

// What was measured, resident, of a worker that begins with less than 100 MB.
for (const [what, load, takenMB] of [
  ['5,000 idle WebSockets', { connections: 5000, tunnels: 5000 }, 225],
  ['2,000 idle WebSockets over TLS', { connections: 2000, secureConnections: 2000, tunnels: 2000 }, 209],
  ['2,000 kept TLS connections', { connections: 2000, secureConnections: 2000 }, 160],
  ['20,000 kept connections', { connections: 20_000 }, 215],
  ['the routes of 100,000 hosts', { hosts: 100_000 }, 290],
] as const) {
  test(`${what} are no reason to replace a worker`, () => {
    const expected = expectedBytes({ ...NOTHING, ...load });
    assert.equal(judgeMemory({ ...sample(takenMB), expectedBytes: expected }, { limitMB: 200, ceilingMB: 0 }), null);
  });
}

for (const [memory, workers, limitMB, ceilingMB] of [
  [GIB / 2, 1, 204, 409],
  [GIB / 4, 2, 200, 200],
  [GIB, 2, 204, 409],
  [4 * GIB, 4, 409, 819],
  [64 * GIB, 16, 1000, 3276],
] as const) {
  test(`with ${memory / GIB} GiB and ${workers} workers the limits are ${limitMB} and ${ceilingMB} MB`, () => {
    assert.deepEqual(memoryLimits(memory, workers), { limitMB, ceilingMB });
  });
}

test('a limit that was chosen holds, and raises the ceiling; 0 is neither', () => {
  assert.deepEqual(memoryLimits(GIB, 2, { limitMB: 100 }), { limitMB: 100, ceilingMB: 409 });
  assert.deepEqual(memoryLimits(GIB, 2, { limitMB: 600 }), { limitMB: 600, ceilingMB: 600 });
  assert.deepEqual(memoryLimits(GIB, 2, { limitMB: 600, ceilingMB: 300 }), { limitMB: 600, ceilingMB: 300 });
  assert.deepEqual(memoryLimits(GIB, 2, { limitMB: 0 }), { limitMB: 0, ceilingMB: 0 });
  assert.deepEqual(memoryLimits(GIB, 2, { limitMB: 0, ceilingMB: 300 }), { limitMB: 0, ceilingMB: 300 });
});
