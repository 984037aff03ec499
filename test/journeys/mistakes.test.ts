/** What people do with redis-cli, and that the commands name it. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Explanation } from '../../lib/diagnostics/explanation.ts';
import type { Finding } from '../../lib/diagnostics/lint.ts';
import { hipache, redisCli } from '../support/command.ts';
import { MISTAKES } from '../support/mistakes.ts';
import { startRedis } from '../support/redis.ts';

const redis = await startRedis({ after });
const driver = ['--driver', `redis://127.0.0.1:${redis.port}`];

/** Some of each kind; those of hchecker_ping are about no host. */
const CHOSEN = MISTAKES.filter(({ typed }, i) => i % 3 === 0 && !typed.some((line) => line.includes('hchecker')));

/** All mistakes are in one Redis: each has a domain of its own. */
const own = (i: number, text: string): string => text.replaceAll(/\b([xX])\.io\b/g, `$1${i}.io`);

for (const [i, { typed }] of CHOSEN.entries()) {
  for (const line of typed) assert.doesNotMatch(redisCli(redis.port, own(i, line)), /ERR|WRONGTYPE/);
}
const lint = await hipache(['lint', '--json', ...driver]);
const { findings } = JSON.parse(lint.stdout) as { readonly findings: readonly Finding[] };

test('lint exits with 1 when there are errors', () => {
  assert.ok(CHOSEN.length >= 12);
  assert.equal(lint.status, 1);
  assert.equal(lint.stderr, '');
});

for (const [i, { what, host = 'www.x.io', path = '', code }] of CHOSEN.entries()) {
  test(`${what}: both say ${code}, and how it is mended`, async () => {
    const domain = own(i, host).split('.').slice(1).join('.');
    const found = findings.find((finding) => finding.code === code && finding.key.toLowerCase().includes(domain));
    assert.ok(found, `lint tells of ${findings.map((finding) => `${finding.key} ${finding.code}`).join()}`);
    const { stdout } = await hipache(['route', 'explain', own(i, host) + path, '--json', ...driver]);
    const { keys, near, route, beside, dead, certificate, store } = JSON.parse(stdout) as Explanation;
    const faults = [keys, near, route ?? [], beside, dead ?? [], certificate?.keys ?? [], store]
      .flat()
      .flatMap((part) => part.faults);
    assert.ok(
      faults.some((fault) => fault.code === code && fault.advice === found.advice),
      `explain tells of ${faults.map((fault) => fault.code).join()}`,
    );
  });
}
