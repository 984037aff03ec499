import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Changes } from '../../lib/admin/changes.ts';
import { statusOf } from '../../lib/cluster/master/status.ts';

const MADE = { at: 1, reason: null, madeAt: 1 };
const FINE: Changes = { reload: MADE, upgrade: null, routes: MADE, logs: null, snapshot: null };
const WHERE = ['http://127.0.0.1:80', 'https://127.0.0.1:443'];
const SERVING = 'serving on http://127.0.0.1:80, https://127.0.0.1:443';

const refused = (reason: string) => ({ at: 2, reason, madeAt: 1 });

test('the status says where the router serves, and no more while all changes were made', () => {
  assert.equal(statusOf(WHERE, FINE), SERVING);
});

test('each change that was refused comes first, with its reason', () => {
  const changes = { ...FINE, reload: refused('a'), upgrade: refused('b'), routes: refused('c'), logs: refused('d') };
  assert.equal(
    statusOf(WHERE, changes),
    `reload refused: a; upgrade refused: b; routes file refused: c; access log not reopened: d; ${SERVING}`,
  );
});

test('a reason with line breaks is no further assignment of the message, and one without end fits in it', () => {
  const status = statusOf(WHERE, { ...FINE, reload: refused('first\nMAINPID=1\r\u2028second') });
  assert.equal(status, `reload refused: first MAINPID=1 second; ${SERVING}`);
  const long = statusOf(WHERE, { ...FINE, reload: refused('\u{1F600}'.repeat(10_000)) });
  assert.ok(Buffer.byteLength(long) < 4_000);
  assert.match(long, /^reload refused: (?:\u{1F600})+…$/u);
});
