import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAccessFormat } from '../../lib/core/record/access-format.ts';
import type { ExchangeRecord } from '../../lib/core/record/exchange-record.ts';
import { AccessLines, LogTime } from '../../lib/observe/access-line.ts';

const TIME = '21/Nov/2026:01:21:49 +0000';
const NOW = Date.UTC(2026, 10, 21, 1, 21, 49);

const record: ExchangeRecord = {
  clientIp: '127.0.0.1',
  method: 'GET',
  target: '/',
  status: 200,
  bytes: 370,
  referer: 'ref',
  userAgent: 'ua',
  host: 'www.example.com',
  backend: 'http://10.0.0.1:8080',
  name: 'identifier',
  totalMs: 11.4,
  backendMs: 9.2,
};

function linesIn(format: string): AccessLines {
  return new AccessLines(readAccessFormat(format), () => NOW);
}

function line(changes: Partial<ExchangeRecord> = {}, format = 'hipache'): string {
  return linesIn(format).of({ ...record, ...changes }, '1.1');
}

test('a line is the one that Hipache wrote, byte for byte', () => {
  assert.equal(
    line(),
    '::ffff:127.0.0.1 - - [21/Nov/2026:01:21:49 +0000] "GET / HTTP/1.1" 200 370 "ref" "ua" "identifier" 0.011 0.009\n',
  );
});

test('what is missing is a dash, and a backend that was not tried took no time', () => {
  assert.equal(
    line({ clientIp: '', referer: undefined, userAgent: '', name: null, backendMs: null }),
    '- - - [21/Nov/2026:01:21:49 +0000] "GET / HTTP/1.1" 200 370 "-" "-" "-" 0.011 0.000\n',
  );
});

test('an IPv6 client is written as it is', () =>
  assert.match(line({ clientIp: '2001:db8::1' }), /^2001:db8::1 - - \[/));

test('nobody can end a field or a line from outside', () => {
  assert.match(line({ userAgent: 'a" 200 "b' }), / "a\\x22 200 \\x22b" /);
  assert.match(line({ referer: 'back\\slash' }), / "back\\x5Cslash" /);
  assert.match(line({ target: '/\r\n\t\0\x1b[2J\x7f' }), /"GET \/\\x0D\\x0A\\x09\\x00\\x1B\[2J\\x7F HTTP\/1.1"/);
  assert.match(line({ method: 'G"T' }), /"G\\x22T \//);
});

test('bytes beyond ASCII are escaped one by one: header values are latin1, names of sites are UTF-8', () => {
  assert.match(line({ userAgent: 'caf\u00e9 \u00ff' }), / "caf\\xE9 \\xFF" /);
  assert.match(line({ name: 'caf\u00e9 \u2603' }), / "caf\\xC3\\xA9 \\xE2\\x98\\x83" /);
});

test('a line stays one line of ASCII whatever comes in', () => {
  const all = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('');
  const text = line({ userAgent: all, referer: all, target: all, method: all, name: all });
  assert.match(text, /^[ -~]+\n$/);
});

test('bytes that were no request are logged in the place of one', () => {
  assert.equal(
    linesIn('hipache').ofGarbage('127.0.0.1', 'GET /"\x01', 400, 12),
    '::ffff:127.0.0.1 - - [21/Nov/2026:01:21:49 +0000] "GET /\\x22\\x01" 400 12 "-" "-" "-" 0.000 0.000\n',
  );
});

test('times are UTC, the year too', () => {
  const time = new LogTime();
  assert.equal(time.at(Date.UTC(2026, 10, 21, 1, 21, 49, 999)), TIME);
  assert.equal(time.at(Date.UTC(2026, 11, 31, 23, 59, 59)), '31/Dec/2026:23:59:59 +0000');
  assert.equal(time.at(Date.UTC(2027, 0, 1, 0, 0, 0)), '01/Jan/2027:00:00:00 +0000');
  assert.equal(time.at(Date.UTC(2024, 1, 29, 12, 5, 7)), '29/Feb/2024:12:05:07 +0000');
});

test('combined is the format of nginx and Apache', () => {
  assert.equal(
    line({}, 'combined'),
    '127.0.0.1 - - [21/Nov/2026:01:21:49 +0000] "GET / HTTP/1.1" 200 370 "ref" "ua"\n',
  );
});

test('json is an object a line, with every field; what is missing is null', () => {
  const missing = { status: 0, referer: undefined, host: null, backend: null, name: null, backendMs: null };
  assert.deepEqual(JSON.parse(line({}, 'json')), {
    time: '2026-11-21T01:21:49.000Z',
    client: '127.0.0.1',
    method: 'GET',
    target: '/',
    version: '1.1',
    status: 200,
    bytes: 370,
    referer: 'ref',
    agent: 'ua',
    host: 'www.example.com',
    site: 'identifier',
    backend: 'http://10.0.0.1:8080',
    total: 0.011,
    backendTime: 0.009,
  });
  const text = line({ ...missing, target: '/\n"' }, 'json');
  assert.match(text, /^[^\n]+\n$/);
  const said = JSON.parse(text) as Record<string, unknown>;
  assert.deepEqual([said['status'], said['host'], said['backendTime'], said['target']], [499, null, null, '/\n"']);
});

test('json is ASCII, whatever a client or an operator wrote', () => {
  const odd = 'caf\u00e9 \u010a \u2603 \u{1f600} \u007f';
  const text = line({ userAgent: 'caf\u00e9\u0080', name: odd }, 'json');
  assert.match(text, /^[ -~]+\n$/);
  const said = JSON.parse(text) as Record<string, unknown>;
  assert.deepEqual([said['agent'], said['site']], ['caf\u00e9\u0080', odd]);
});

test('a template says its fields, escaped, and dashes for what is missing', () => {
  const template = '{host} {backend} {status} "{target}" {isoTime} {total}/{backendTime} {site} {unclosed';
  assert.equal(
    line({ target: '/"', name: null, backendMs: null }, template),
    'www.example.com http://10.0.0.1:8080 200 "/\\x22" 2026-11-21T01:21:49.000Z 0.011/- - {unclosed\n',
  );
  const all = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('');
  const fields = '{method} {target} {request} {referer} {agent} {host} {site} {backend}';
  const hostile = { method: all, target: all, referer: all, userAgent: all, host: all, name: all, backend: all };
  assert.match(line(hostile, fields), /^[ -~]+\n$/);
});

test('bytes that were no request are logged in every format', () => {
  assert.match(linesIn('combined').ofGarbage('127.0.0.1', '\x16\x03', 400, 12), / "\\x16\\x03" 400 12 "-" "-"\n$/);
  const { method, target } = JSON.parse(linesIn('json').ofGarbage('127.0.0.1', 'GET', 400, 1)) as ExchangeRecord;
  assert.deepEqual({ method, target }, { method: null, target: 'GET' });
});

for (const [format, why] of [
  ['common', /must be "hipache", "combined", "json" or a text with \{fields\}/],
  ['{clinet}', /knows no field \{clinet\}; there are client, time, /],
  ['{client}\n{time}', /must have no control characters/],
] as const) {
  test(`${JSON.stringify(format)} is no format`, () => assert.throws(() => readAccessFormat(format), why));
}
