import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../lib/config/nearest.ts';

const KNOWN = ['workers', 'accessLog', 'maxSockets', 'limitMB', 'ttl', 'ca'];

for (const [word, meant] of [
  ['worker', 'workers'],
  ['wrokers', 'workers'],
  ['WORKERS', 'workers'],
  ['acceslogs', 'accessLog'],
  ['maxSocket', 'maxSockets'],
  ['max_sockets', 'maxSockets'],
  ['limit', 'limitMB'],
  ['ttlSeconds', 'ttl'],
  ['tll', 'ttl'],
] as const) {
  test(`"${word}" was meant for "${meant}"`, () => {
    assert.equal(nearest(word, KNOWN), meant);
  });
}

for (const word of ['zebra', 'x', 'cat', '', 'log']) {
  test(`"${word}" resembles nothing enough for a guess`, () => {
    assert.equal(
      nearest(
        word,
        KNOWN.filter((known) => known !== 'ca'),
      ),
      null,
    );
  });
}
