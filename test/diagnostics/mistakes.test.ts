/** Each of many mistakes is named by both, with an advice that mends it. */
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import type { RouteEditor } from '../../lib/store/editor/route-editor.ts';
import { openEditor } from '../../lib/store/drivers/open-editor.ts';
import { explain } from '../../lib/diagnostics/explain.ts';
import { FAULT_CODES, type Fault, type FaultCode } from '../../lib/diagnostics/fault.ts';
import { type Finding, lint } from '../../lib/diagnostics/lint.ts';
import { write } from '../support/configurations.ts';
import { redisCli } from '../support/command.ts';
import { MISTAKES } from '../support/mistakes.ts';
import { startRedis } from '../support/redis.ts';

const redis = await startRedis({ after });

async function open(t: TestContext, prefix = ''): Promise<RouteEditor> {
  await redis.cli('flushall');
  const url = { scheme: 'redis', redis: redis.address('', `/0#${prefix}`) } as const;
  const editor = openEditor(url, url, { timeoutMs: 5000 });
  t.after(() => editor.close());
  return editor;
}

/** What an operator types. */
function enter(...lines: readonly string[]): void {
  for (const line of lines) assert.doesNotMatch(redisCli(redis.port, line), /ERR|WRONGTYPE/, line);
}

/** All that `explain` says is wrong, of whatever key. */
async function explained(editor: RouteEditor, host: string, path = '/'): Promise<readonly Fault[]> {
  const { keys, route, beside, dead, certificate, near, store } = await explain(editor, host, path);
  const ofKeys = [...keys, ...beside, ...near, ...(certificate?.keys ?? [])].flatMap(({ faults }) => faults);
  return [...ofKeys, ...(route?.faults ?? []), ...(dead?.faults ?? []), ...store.faults];
}

async function linted(editor: RouteEditor): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of lint(editor)) findings.push(finding);
  return findings;
}

/** All that `lint` tells of, a text each. */
async function told(editor: RouteEditor): Promise<readonly string[]> {
  return (await linted(editor)).map(({ key, code, advice }) => [key, code, advice].join(' | '));
}

for (const { what, typed, host = 'www.x.io', path = '/', code, isHopeless } of MISTAKES) {
  test(`${what}: ${code}`, async (t) => {
    const editor = await open(t);
    enter(...typed);
    const [faults, findings] = await Promise.all([explained(editor, host, path), linted(editor)]);
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
    const left = await linted(editor);
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
  const editor = await open(t);
  const urls = Array.from({ length: 9_999 }, (_, i) => `http://10.0.${i >> 8}.${i & 255}:80`);
  await redis.cli('rpush', 'frontend:www.x.io', 'site', ...urls);
  assert.ok(!(await linted(editor)).some(({ code }) => code === 'too-long'));
  await redis.cli('rpush', 'frontend:www.x.io', 'http://10.1.0.1:80');
  const [finding] = await linted(editor);
  assert.equal(finding?.code, 'too-long');
  assert.ok((await explained(editor, 'www.x.io')).some(({ code }) => code === 'too-long'));
  redisCli(redis.port, finding.advice);
  assert.deepEqual(await linted(editor), []);
});

test('with a prefix, advice has it; keys without it are told of by explain', async (t) => {
  const editor = await open(t, 'site:');
  enter('rpush site:frontend:WWW.x.io site http://10.0.0.1:80', 'rpush frontend:www.x.io site http://10.0.0.1:80');
  const { near, keys } = await explain(editor, 'www.x.io', '/');
  assert.equal(keys[0]?.key, 'site:frontend:www.x.io');
  const explanations = near.map(({ key, faults }) => [key, faults[0]?.code, faults[0]?.advice].join(' | '));
  assert.deepEqual(explanations.toSorted(), [
    ['frontend:www.x.io', 'other-prefix', 'RENAMENX frontend:www.x.io site:frontend:www.x.io'].join(' | '),
    ['site:frontend:WWW.x.io', 'upper-case', 'RENAMENX site:frontend:WWW.x.io site:frontend:www.x.io'].join(' | '),
  ]);
});

test('what stands beside a host with letters beyond ASCII is named as clients send it', async (t) => {
  const editor = await open(t);
  enter(
    'rpush frontend:xn--bcher-kva.io site http://10.0.0.1:80',
    'hset options:bücher.io strip 1',
    'hset errors:bücher.io 503 sorry',
    'sadd prefixes:bücher.io /api',
    'set tls:*.bücher.io x',
  );
  assert.deepEqual((await told(editor)).filter((line) => /-key/.test(line)).toSorted(), [
    'errors:bücher.io | side-key | RENAMENX "errors:bücher.io" errors:xn--bcher-kva.io',
    'options:bücher.io | side-key | RENAMENX "options:bücher.io" options:xn--bcher-kva.io',
    'prefixes:bücher.io | side-key | RENAMENX "prefixes:bücher.io" prefixes:xn--bcher-kva.io',
    'tls:*.bücher.io | tls-key | RENAMENX "tls:*.bücher.io" tls:*.xn--bcher-kva.io',
  ]);
});

test('routes without a fault are told so', async (t) => {
  const editor = await open(t);
  enter(
    'rpush frontend:www.x.io site http://10.0.0.1:80 https://[2001:db8::1]:443',
    'rpush frontend:*.x.io wild http://backend-1.internal:8080',
    'rpush frontend:* all http://backend-1.internal:8080',
    'rpush frontend:2001:db8::2 six http://backend-1.internal:8080',
    'rpush frontend:www.x.io/api api file:///srv/www "redirect+https://www.x.io/ 301" redirect://y.io',
    'sadd prefixes:www.x.io /api',
    'hset options:www.x.io/api strip 1 canonical www.x.io',
    'hset options:* hsts 1',
    'hset errors:* 503 <h1>Sorry</h1>',
    'hset errors:www.x.io/api 503 <h1>Sorry</h1>',
    'set session:www.x.io text',
    'set read:www.x.io text',
  );
  assert.deepEqual(await linted(editor), []);
});

test('what stands beside lists under a key that nobody asks for is told of, and how it should be', async (t) => {
  const editor = await open(t, 'site:');
  enter(
    'rpush site:frontend:www.x.io site http://10.0.0.1:80',
    'hset site:options:WWW.x.io strip 1',
    'hset "site:errors:no host" 503 sorry',
    'sadd site:prefixes:www.x.io/ /api',
    'sadd site:prefixes:www.x.io/api /v2',
    // These two may be somebody else's.
    'set site:errors:2024:01 17',
    'set site:options:theme dark',
    'hset options:WWW.x.io strip 1',
  );
  assert.deepEqual((await told(editor)).toSorted(), [
    'site:errors:2024:01 | side-stale | DEL site:errors:2024:01',
    'site:errors:no host | side-stale | DEL "site:errors:no host"',
    'site:options:WWW.x.io | side-key | RENAMENX site:options:WWW.x.io site:options:www.x.io',
    'site:options:theme | side-stale | DEL site:options:theme',
    'site:prefixes:www.x.io/ | side-key | RENAMENX site:prefixes:www.x.io/ site:prefixes:www.x.io',
    'site:prefixes:www.x.io/api | side-key | DEL site:prefixes:www.x.io/api',
  ]);
});

test('a hash with more than 100 options is told of, as is that only so many faults are', async (t) => {
  const editor = await open(t);
  const fields = Array.from({ length: 101 }, (_, i) => [`f${i}`, 'x']).flat();
  await redis.cli('rpush', 'frontend:www.x.io', 'site', 'http://10.0.0.1:80');
  await redis.cli('hset', 'options:www.x.io', ...fields);
  assert.deepEqual(
    (await linted(editor)).map(({ code }) => code),
    ['options-long'],
  );
  await redis.cli('sadd', 'prefixes:www.x.io', ...Array.from({ length: 101 }, (_, i) => `/p${i}/`));
  const codes = (await linted(editor)).map(({ code }) => code);
  assert.deepEqual([codes.filter((code) => code === 'prefix-name').length, codes.includes('more-faults')], [100, true]);
});

test('a hash with too many header fields, or too many characters of them, is told of', async (t) => {
  const editor = await open(t);
  await redis.cli('rpush', 'frontend:www.x.io', 'site', 'http://10.0.0.1:80');
  for (const fields of [
    Array.from({ length: 33 }, (_, i) => [`response:X-${i}`, 'x']).flat(),
    ['response:A', 'a'.repeat(4_096), 'response:B', 'b'.repeat(4_096)],
  ]) {
    await redis.cli('del', 'headers:www.x.io');
    await redis.cli('hset', 'headers:www.x.io', ...fields);
    assert.deepEqual(
      (await linted(editor)).map(({ code }) => code),
      ['headers-long'],
    );
    const { beside, options } = await explain(editor, 'www.x.io', '/');
    assert.deepEqual([beside[0]?.key, beside[0]?.faults[0]?.code, options], ['headers:www.x.io', 'headers-long', []]);
  }
});

test('lint reports a hash with too many weights', async (t) => {
  const editor = await open(t);
  await redis.cli('rpush', 'frontend:www.x.io', 'site', 'http://10.0.0.1:80');
  const fields = Array.from({ length: 1_001 }, (_, i) => [`http://10.0.0.1:${i + 1}`, '5']).flat();
  await redis.cli('hset', 'weights:www.x.io', ...fields);
  assert.deepEqual(
    (await linted(editor)).map(({ code }) => code),
    ['weights-long'],
  );
});

test('lint reports a hash with too many fields of checks', async (t) => {
  const editor = await open(t);
  await redis.cli('rpush', 'frontend:www.x.io', 'site', 'http://10.0.0.1:80');
  const fields = Array.from({ length: 33 }, (_, i) => [`field${i}`, '5']).flat();
  await redis.cli('hset', 'healthcheck:www.x.io', ...fields);
  assert.deepEqual(
    (await linted(editor)).map(({ code }) => code),
    ['checks-long'],
  );
});

test('a routes file is held to the same rules', async () => {
  const site = ['site', 'http://10.0.0.1:80'];
  const path = write({
    'www.x.io': site,
    'www.x.io/api': ['api', 'redirect://www.x.io/ 301'],
    'www.x.io/shop/': site,
    'options:www.x.io/api': { strip: true, rewrite: '^/a /b', hts: 1, state: 'dead', canonical: 'none.io' },
    'options:old.x.io': { state: 'live' },
    'headers:www.x.io/api': { 'response:TE': 'trailers', 'X-A': 1, 'request:X-A': '' },
    'headers:old.x.io': { 'response:X-A': '1' },
    'weights:www.x.io': { 'http://10.0.0.1:80': 100, 'http://10.0.0.2:80': 5 },
    'weights:www.x.io/api': { 'redirect://www.x.io/ 301': 'backup eu', 'http://10.0.0.1:80': 'spare' },
    'healthcheck:www.x.io': { path: '/health', interval: 0, statsu: 200 },
    'errors:www.x.io': { 200: 'fine', 503: 'sorry' },
  });
  const url = { scheme: 'file', path } as const;
  assert.deepEqual(await told(openEditor(url, url, { timeoutMs: 1000 })), [
    'www.x.io/shop/ | key-path | replace "www.x.io/shop/" with "www.x.io/shop"',
    'options:www.x.io/api | option-unknown | remove "hts" from "options:www.x.io/api"',
    'options:www.x.io/api | option-value | remove "state" from "options:www.x.io/api"',
    'options:www.x.io/api | option-idle | remove "strip" from "options:www.x.io/api"',
    'options:www.x.io/api | canonical-unserved | remove "canonical" from "options:www.x.io/api"',
    'options:old.x.io | side-stale | remove "options:old.x.io"',
    'headers:www.x.io/api | header-unusable | remove "response:TE" from "headers:www.x.io/api"',
    'headers:www.x.io/api | header-unusable | remove "X-A" from "headers:www.x.io/api"',
    'headers:old.x.io | side-stale | remove "headers:old.x.io"',
    'weights:www.x.io | weight-unlisted | remove "http://10.0.0.2:80" from "weights:www.x.io"',
    'weights:www.x.io/api | weight-unusable | remove "http://10.0.0.1:80" from "weights:www.x.io/api"',
    'healthcheck:www.x.io | check-field | remove "interval" from "healthcheck:www.x.io"',
    'healthcheck:www.x.io | check-field | remove "statsu" from "healthcheck:www.x.io"',
    'errors:www.x.io | page-unusable | remove "200" from "errors:www.x.io"',
  ]);
});

test('every code is made by one of these mistakes, save those of a file and of rights', () => {
  const elsewhere = new Set<FaultCode>([
    'bad-key',
    'other-prefix',
    'too-long',
    'more-faults',
    'unreadable',
    // See below.
    'side-key',
    'options-long',
    'headers-long',
    'weights-long',
    'checks-long',
    // See checker-faults.test.ts.
    'checker-blind',
    'checker-deadly',
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
