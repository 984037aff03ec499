import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGoodStatus } from '../../lib/core/health/check-rules.ts';
import { CHECK_FIELDS, checkFieldFault, checkRulesOf, idleCheckFields } from '../../lib/sites/healthcheck.ts';

const rulesOf = (fields: Readonly<Record<string, string>>) => checkRulesOf(new Map(Object.entries(fields)));
const idle = (fields: Readonly<Record<string, string>>) =>
  idleCheckFields(new Map(Object.entries(fields)))?.text ?? null;
const passing = (status: string): number[] =>
  Array.from({ length: 500 }, (_, i) => 100 + i).filter((code) => isGoodStatus(code, rulesOf({ status })));

test('a hash with the fields of PlanB is a check by HTTP, each 5 s', () => {
  const rules = rulesOf({ path: '/health', status: '200', body: 'OK' });
  assert.deepEqual(
    { ...rules },
    {
      kind: 'http',
      method: 'GET',
      path: '/health',
      host: null,
      port: null,
      service: '',
      statuses: [[200, 200]],
      body: 'OK',
      intervalMs: 5_000,
      timeoutMs: 2_000,
      rise: 2,
      fall: 3,
      first: false,
    },
  );
});

test('a path needs no slash at its beginning, as with PlanB', () => {
  assert.equal(rulesOf({ path: 'health?x=1' }).path, '/health?x=1');
  assert.equal(rulesOf({ path: '//health' }).path, '/health');
  assert.equal(rulesOf({ path: '' }).path, '/');
});

test('without a status, or with 0, any response passes but 5xx', () => {
  for (const status of ['', '0', '000']) {
    assert.equal(checkFieldFault('status', status), null);
    assert.deepEqual([passing(status)[0], passing(status).at(-1)], [100, 499], status);
  }
});

test('statuses are codes, classes and ranges', () => {
  assert.deepEqual(passing('204'), [204]);
  assert.deepEqual(passing('2xx').length, 100);
  assert.deepEqual(passing('200-202, 404'), [200, 201, 202, 404]);
  assert.deepEqual([passing('2xx-3XX')[0], passing('2xx-3XX').at(-1)], [200, 399]);
});

test('without a field of HTTP, a connection is enough', () => {
  assert.equal(rulesOf({ interval: '10' }).kind, 'tcp');
  assert.equal(rulesOf({ body: 'x' }).kind, 'http');
  assert.equal(rulesOf({ body: 'x', type: 'tcp' }).kind, 'tcp');
});

test('a check ends before the next one is due', () => {
  assert.equal(rulesOf({ interval: '3', timeout: '10' }).timeoutMs, 3_000);
});

test('what cannot be used is named, and counts as missing', () => {
  const bad: readonly (readonly [string, string])[] = [
    ['type', 'https'],
    ['path', '/a b'],
    ['path', '/a\r\nX: y'],
    ['status', '99'],
    ['status', '300-200'],
    ['status', '200,,201'],
    ['status', Array(21).fill('200').join(',')],
    ['body', 'x'.repeat(2_001)],
    ['method', 'POST'],
    ['host', 'a b'],
    ['host', 'a\r\nX: y'],
    ['port', '0'],
    ['port', '65536'],
    ['service', 'a b'],
    ['interval', '0'],
    ['interval', '301'],
    ['interval', '2.5'],
    ['timeout', '-1'],
    ['rise', ''],
    ['fall', '101'],
    ['first', 'yes'],
    ['intervall', '5'],
    ['__proto__', '5'],
  ];
  const usual = { ...rulesOf({ type: 'http' }) };
  for (const [field, text] of bad) {
    assert.equal(typeof checkFieldFault(field, text), 'string', `${field} ${text.slice(0, 20)}`);
    const fields = new Map([[field === 'type' ? 'path' : 'type', field === 'type' ? '/' : 'http']]).set(field, text);
    assert.deepEqual({ ...checkRulesOf(fields) }, usual, field);
  }
});

test('each field that is documented can be used', () => {
  const good = ['http', '/x', '2xx', 'ok', 'HEAD', 'x.io:80', '8080', 'my.Service', '10', '3', '1', '1', '1'];
  assert.equal(CHECK_FIELDS.length, good.length);
  for (const [i, field] of CHECK_FIELDS.entries()) assert.equal(checkFieldFault(field, good[i] ?? ''), null, field);
});

test('fields without an effect are named', () => {
  assert.match(idle({ type: 'tcp', path: '/x', status: '200' }) ?? '', /^path, status: .* tcp$/);
  assert.match(idle({ type: 'grpc', path: '/x', host: 'h' }) ?? '', /^path: .* grpc$/);
  assert.match(idle({ path: '/x', service: 's' }) ?? '', /^service: .* http$/);
  assert.equal(idle({ type: 'grpc', service: 's', host: 'h' }), null);
});
