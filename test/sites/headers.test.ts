/** `headers:<key>`: which fields count, and what they make of the fields of messages. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { NO_SITE, type Site } from '../../lib/core/routing/site.ts';
import { hashFault } from '../../lib/sites/hashes.ts';
import { fieldFault, idleFields, layerOf, makeSite } from '../../lib/sites/site.ts';
import { codesOf, rowsOf } from '../support/markdown.ts';

const of = (fields: Readonly<Record<string, string>>) => new Map(Object.entries(fields));
const layer = (headers: Readonly<Record<string, string>>) => layerOf({ options: undefined, headers: of(headers) });
const siteOf = (headers: Readonly<Record<string, string>>): Site => makeSite({ host: layer(headers) });

const OWN = { scheme: 'https', authority: 'x.io', prefix: '', backend: null, backendPath: '' } as const;
const BACKEND = {
  id: 0,
  href: 'http://10.0.0.1',
  protocol: 'http:',
  hostname: '10.0.0.1',
  port: 80,
  socketPath: null,
  redirect: null,
  path: '',
} as const;

for (const [field, text] of [
  ['request:X-A', 'b'],
  ['response:X-A', ''],
  ['response:x_a!#$%&*+.^`|~', 'b'],
  ['response:Content-Security-Policy', `default-src 'self'; img-src "*"\thttps:`],
  ['response:X-A', '  b '],
  ['response:Set-Cookie', 'a=b; Path=/'],
  ['request:Authorization', 'Basic YTpi'],
  [`request:${'a'.repeat(100)}`, 'b'.repeat(4096)],
] as const) {
  test(`${field} ${JSON.stringify(text).slice(0, 60)} counts`, () => {
    assert.equal(fieldFault(field, text, 'headers'), null);
    const name = field.slice(field.indexOf(':') + 1);
    const site = siteOf({ [field]: text });
    const made = field.startsWith('request') ? site.adaptRequest([]) : site.adaptResponse([], OWN);
    assert.deepEqual(made, text === '' ? [] : [name, text.trim()]);
    assert.equal(site.mayServeFast('x.io', 'http', '/', false), false, 'the fast lane hands it over');
  });
}

const REFUSED = [
  'Content-Length',
  'Transfer-Encoding',
  'Trailer',
  'Host',
  'Expect',
  'content_length',
  'Connection',
  'Keep-Alive',
  'Proxy-Connection',
  'TE',
  'Upgrade',
  'HTTP2-Settings',
  'Proxy',
  'Proxy-Authorization',
  'Proxy-Authenticate',
  'Sec-WebSocket-Key',
  'Sec-WebSocket-Accept',
  'X-SSL-Client-Verify',
  'x-ssl-client-dn',
  'X_SSL_Client_Verify',
  'X-SSL-Client',
  'X-Forwarded-For',
  'X-Forwarded-Anything',
  'X-Real-IP',
  'Forwarded',
  'X_Forwarded.For',
  'Traceparent',
  'Tracestate',
  'X-Request-Id',
  'X-Router-Error',
  '',
  ' X-A',
  'X A',
  'X-A:',
  'X-Ä',
  'X-A\r\n',
  'X-A\0',
  'a'.repeat(101),
  ':status',
  '"a"',
];

for (const name of REFUSED) {
  test(`the name ${JSON.stringify(name)} is refused both ways`, () => {
    for (const field of [`request:${name}`, `response:${name}`]) {
      for (const text of ['1', '']) {
        assert.notEqual(fieldFault(field, text, 'headers'), null);
        assert.equal(siteOf({ [field]: text }), NO_SITE);
      }
    }
  });
}

for (const text of ['a\rb', 'a\nb', 'a\0b', 'a\r\nX-B: c', 'b\r\n', '\nb', 'a\x7f', 'grüß', '🐘', 'b'.repeat(4097)]) {
  test(`the value ${JSON.stringify(text).slice(0, 40)} is refused`, () => {
    for (const field of ['request:X-A', 'response:X-A']) {
      assert.notEqual(fieldFault(field, text, 'headers'), null);
      assert.equal(siteOf({ [field]: text }), NO_SITE);
    }
  });
}

test('the documented names are refused', () => {
  const rows = rowsOf(readFileSync(join(packageRoot, 'docs/sites.md'), 'utf8'), 'refused');
  const names = rows.flatMap(([refused = '']) => codesOf(refused)).map((name) => name.replace('*', 'Any'));
  assert.ok(names.length >= 25);
  for (const name of names) assert.notEqual(fieldFault(`response:${name}`, '1', 'headers'), null, name);
});

test('a field of one hash counts nowhere else', () => {
  for (const field of ['X-A', 'hsts', 'Response:X-A', 'constructor', '__proto__', '']) {
    assert.notEqual(fieldFault(field, '1', 'headers'), null, field);
    assert.equal(siteOf({ [field]: '1' }), NO_SITE, field);
  }
  assert.equal(fieldFault('response:X-A', '1'), 'there is no such option');
  const site = makeSite({
    host: layerOf({ options: of({ 'response:X-A': '1', hsts: '5' }), headers: of({ hsts: '6', 'response:X-B': '2' }) }),
  });
  assert.deepEqual(Object.fromEntries(site.fields), { hsts: '5', 'response:X-B': '2' });
  assert.equal(layerOf({ options: undefined, headers: undefined }), undefined);
});

test('fields take the place of all of their name, in any case, and an empty one of none', () => {
  const site = siteOf({ 'response:X-Set': 'new', 'response:server': '', 'response:Vary': 'Origin' });
  const before = ['x-set', '1', 'Server', 'nginx', 'A', 'b', 'X-SET', '2', 'X_Set', '3'];
  const wanted = ['A', 'b', 'X_Set', '3', 'X-Set', 'new', 'Vary', 'Origin'];
  assert.deepEqual(site.adaptResponse(before, { ...OWN, backend: BACKEND }), wanted);
  assert.deepEqual(site.adaptSwitching(before), wanted);
  assert.deepEqual(site.adaptRequest(before), before);
});

test('a client cannot send a field of a request by a name that backends take for it', () => {
  const site = siteOf({ 'request:X-Secret': 'ours', 'request:Cookie': '' });
  const sent = ['Host', 'x.io', 'x-secret', 'a', 'X_Secret', 'b', 'X.SECRET', 'c', 'Cookie', 'd=e', 'X-Other', 'f'];
  assert.deepEqual(site.adaptRequest(sent), ['Host', 'x.io', 'X-Other', 'f', 'X-Secret', 'ours']);
  assert.deepEqual(site.adaptResponse(sent, OWN), sent);
});

test('a later layer counts whatever the case of its name, and an empty value there removes the field', () => {
  const site = makeSite({
    all: layer({ 'response:X-A': 'all', 'response:X-B': 'all', 'response:X-C': 'all' }),
    host: layer({ 'response:x-a': 'host', 'response:X-B': '' }),
    prefix: layer({ 'response:X-a': 'prefix', 'response:X-C': 'a\nb' }),
  });
  const fields = { 'response:X-B': '', 'response:X-C': 'all', 'response:X-a': 'prefix' };
  assert.deepEqual(Object.fromEntries(site.fields), fields);
  assert.deepEqual(site.adaptResponse(['x-b', '1'], OWN), ['X-C', 'all', 'X-a', 'prefix']);
  assert.deepEqual(makeSite({ prefix: site.fields }).adaptResponse([], OWN), ['X-C', 'all', 'X-a', 'prefix']);
});

test('what the router says of its own responses to caches holds', () => {
  const site = siteOf({ 'response:Cache-Control': 'max-age=60', 'response:Expires': '', 'response:X-A': '1' });
  const error = ['Cache-Control', 'no-cache', 'Expires', '-1', 'X-Router-Error', 'no-backend'];
  assert.deepEqual(site.adaptResponse(error, OWN), [...error, 'X-A', '1']);
  const added = ['Cache-Control', 'max-age=60', 'X-A', '1'];
  assert.deepEqual(site.adaptResponse(['ETag', '"a"'], OWN), ['ETag', '"a"', ...added]);
  assert.deepEqual(site.adaptResponse(error.slice(0, 4), { ...OWN, backend: BACKEND }), added);
});

test('the field of the operator comes before that of the option hsts', () => {
  const host = layerOf({
    options: of({ hsts: '5' }),
    headers: of({ 'response:Strict-Transport-Security': 'max-age=7' }),
  });
  assert.deepEqual(makeSite({ host }).adaptResponse([], OWN), ['Strict-Transport-Security', 'max-age=7']);
});

test('a hash that is too large has no field that counts', () => {
  const many = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`response:X-${i}`, '1']));
  assert.match(hashFault('headers', of(many)) ?? '', /more than 32 fields/);
  assert.equal(siteOf(many), NO_SITE);
  const long = { 'response:A': 'a'.repeat(4096), 'response:B': 'b'.repeat(4096) };
  assert.match(hashFault('headers', of(long)) ?? '', /more than 8192 characters/);
  assert.equal(siteOf(long), NO_SITE);
});

test('of a name in two spellings one has no effect', () => {
  const [idle] = idleFields(of({ 'response:X-A': '1', 'request:X-A': '2', 'response:x-a': '3' }), 'headers');
  assert.deepEqual(idle?.fields, ['response:X-A']);
  assert.deepEqual(idleFields(of({ 'response:X-A': '1', 'request:X-A': '2' }), 'headers'), []);
});
