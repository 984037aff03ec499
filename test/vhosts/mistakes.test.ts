/** Each of many mistakes is named by both, with an advice that mends it. */
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import type { RouteBook } from '../../lib/store/book.ts';
import { openBook } from '../../lib/store/open-book.ts';
import { explain } from '../../lib/vhosts/explain.ts';
import { FAULT_CODES, type Fault, type FaultCode } from '../../lib/vhosts/fault.ts';
import { type Finding, lint } from '../../lib/vhosts/lint.ts';
import { redisCli } from '../support/command.ts';
import { MISTAKES } from '../support/mistakes.ts';
import { startRedis } from '../support/redis.ts';

const redis = await startRedis({ after });

async function open(t: TestContext, prefix = ''): Promise<RouteBook> {
  await redis.cli('flushall');
  const url = { scheme: 'redis', redis: redis.address('', `/0#${prefix}`) } as const;
  const book = openBook(url, url, { timeoutMs: 5000 });
  t.after(() => book.close());
  return book;
}

/** All that `explain` says is wrong, of whatever key. */
async function explained(book: RouteBook, host: string): Promise<readonly Fault[]> {
  const { keys, route, dead, certificate, near, store } = await explain(book, host, '/');
  const ofKeys = [...keys, ...near, ...(certificate?.keys ?? [])].flatMap(({ faults }) => faults);
  return [...ofKeys, ...(route?.faults ?? []), ...(dead?.faults ?? []), ...store.faults];
}

async function linted(book: RouteBook): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of lint(book)) findings.push(finding);
  return findings;
}

for (const { what, typed, host = 'www.x.io', code, isHopeless } of MISTAKES) {
  test(`${what}: ${code}`, async (t) => {
    const book = await open(t);
    for (const line of typed) assert.doesNotMatch(redisCli(redis.port, line), /ERR|WRONGTYPE/);
    const [faults, findings] = await Promise.all([explained(book, host), linted(book)]);
    const own = faults.find((fault) => fault.code === code);
    const found = findings.find((finding) => finding.code === code);
    assert.ok(own, `explain tells of ${faults.map((fault) => fault.code).join()}`);
    assert.ok(found, `lint tells of ${findings.map((finding) => finding.code).join()}`);
    assert.deepEqual({ ...own, key: found.key }, found.code === 'expires' ? { ...found, text: own.text } : found);
    const others = findings.filter((each) => each.code !== code && each.severity === 'error');
    assert.deepEqual(others, [], 'lint tells of nothing else');

    for (const line of found.advice.split('\n')) {
      const typable = line.replace(/ NAME\b/, ' site').replace('HOST:PORT', '10.0.0.9:80');
      assert.doesNotMatch(redisCli(redis.port, typable), /ERR|WRONGTYPE|Invalid/, line);
    }
    const left = await linted(book);
    assert.deepEqual(
      left
        .filter((each) => each.code === code || each.severity === 'error')
        .filter(({ code: one }) => !isHopeless || one === code),
      [],
      `"${found.advice}" mends it`,
    );
  });
}

test('a list of 10,001 elements is too long, and is cut', async (t) => {
  const book = await open(t);
  const urls = Array.from({ length: 9_999 }, (_, i) => `http://10.0.${i >> 8}.${i & 255}:80`);
  await redis.cli('rpush', 'frontend:www.x.io', 'site', ...urls);
  assert.ok(!(await linted(book)).some(({ code }) => code === 'too-long'));
  await redis.cli('rpush', 'frontend:www.x.io', 'http://10.1.0.1:80');
  const [finding] = await linted(book);
  assert.equal(finding?.code, 'too-long');
  assert.ok((await explained(book, 'www.x.io')).some(({ code }) => code === 'too-long'));
  redisCli(redis.port, finding.advice);
  assert.deepEqual(await linted(book), []);
});

test('with a prefix, advice has it; keys without it are told of by explain', async (t) => {
  const book = await open(t, 'site:');
  redisCli(redis.port, 'rpush site:frontend:WWW.x.io site http://10.0.0.1:80');
  redisCli(redis.port, 'rpush frontend:www.x.io site http://10.0.0.1:80');
  const { near, keys } = await explain(book, 'www.x.io', '/');
  assert.equal(keys[0]?.key, 'site:frontend:www.x.io');
  const told = near.map(({ key, faults }) => [key, faults[0]?.code, faults[0]?.advice].join(' | '));
  assert.deepEqual(told.toSorted(), [
    ['frontend:www.x.io', 'other-prefix', 'RENAMENX frontend:www.x.io site:frontend:www.x.io'].join(' | '),
    ['site:frontend:WWW.x.io', 'upper-case', 'RENAMENX site:frontend:WWW.x.io site:frontend:www.x.io'].join(' | '),
  ]);
});

test('routes without a fault are told so', async (t) => {
  const book = await open(t);
  redisCli(redis.port, 'rpush frontend:www.x.io site http://10.0.0.1:80 https://[2001:db8::1]:443');
  redisCli(redis.port, 'rpush frontend:*.x.io wild http://backend-1.internal:8080');
  redisCli(redis.port, 'rpush frontend:* all http://backend-1.internal:8080');
  redisCli(redis.port, 'rpush frontend:2001:db8::2 six http://backend-1.internal:8080');
  redisCli(redis.port, 'set session:www.x.io text');
  redisCli(redis.port, 'set read:www.x.io text');
  assert.deepEqual(await linted(book), []);
});

test('every code is made by one of these mistakes, save those of a file and of rights', () => {
  const elsewhere = new Set<FaultCode>([
    'bad-key',
    'other-prefix',
    'too-long',
    'more-faults',
    'unreadable',
    // By server.legacyScheme: see url-faults.test.ts.
    'https-ignored',
    // See certificate-faults.test.ts.
    'tls-key',
    'tls-field',
    'tls-pair',
    'tls-expired',
    'tls-expires',
    'broken-file',
  ]);
  assert.deepEqual(
    FAULT_CODES.filter((code) => !elsewhere.has(code) && !MISTAKES.some((mistake) => mistake.code === code)),
    [],
  );
});
