import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { NO_SITE, type Site } from '../../lib/core/routing/site.ts';
import { FIELD_NAMES, fieldFault, idleFields, makeSite } from '../../lib/sites/site.ts';
import { codesOf, rowsOf } from '../support/markdown.ts';

const of = (fields: Readonly<Record<string, string>>) => new Map(Object.entries(fields));

const IN_CLEAR = { scheme: 'http', authority: 'x.io:8080', hostname: 'x.io', path: '/api/a', port: 8080 } as const;
const SCENE = { scheme: 'https', authority: 'x.io', prefix: '', backend: null, backendPath: '' } as const;

const redirectOf = (site: Site) => {
  const admission = site.admit(IN_CLEAR, 443);
  return admission?.type === 'redirected' ? [admission.redirect.status, admission.redirect.location] : admission;
};
const admissionOf = (site: Site) => {
  const admission = site.admit(IN_CLEAR, null);
  if (admission?.type === 'held') return ['held', admission.maxSeconds];
  return admission?.type === 'refused' ? [admission.error.code, ...admission.error.fields] : admission;
};
const hstsOf = (site: Site) => site.adaptResponse(['A', 'b'], SCENE).slice(2);
const stickyOf = ({ balance }: Site) => balance?.sticky;
const balanceOf = ({ balance }: Site) => balance && [balance.text, balance.trait];
const targetOf = (site: Site) => site.targetFor('/api/a', '/api');

test('the table of options holds every field, in the order of the features, and no other', () => {
  const rows = rowsOf(readFileSync(join(packageRoot, 'docs/sites.md'), 'utf8'), 'field');
  assert.deepEqual(
    rows.flatMap(([field = '']) => codesOf(field)),
    FIELD_NAMES,
  );
});

type Seen = (site: Site) => unknown;

for (const [fields, seen, wanted] of [
  [{ strip: ' 1\n' }, targetOf, '/a'],
  [{ strip: 'TRUE' }, targetOf, '/a'],
  [{ strip: '0' }, targetOf, '/api/a'],
  [{ prepend: '/' }, targetOf, '/api/a'],
  [{ prepend: '/v2' }, targetOf, '/v2/api/a'],
  [{ https: 'redirect' }, redirectOf, [308, 'https://x.io/api/a']],
  [{ https: 'redirect 301' }, redirectOf, [301, 'https://x.io/api/a']],
  [{ https: 'redirect', redirectStatus: '302' }, redirectOf, [302, 'https://x.io/api/a']],
  [{ https: 'redirect', httpsPort: '8443' }, redirectOf, [308, 'https://x.io:8443/api/a']],
  [{ https: 'both' }, redirectOf, null],
  [{ redirectStatus: '302' }, (site) => site.redirectStatus, 302],
  [{ canonical: 'WWW.x.io' }, (site) => site.canonicalHost, 'www.x.io'],
  [{ canonical: 'www.x.io' }, redirectOf, [308, 'http://www.x.io:8080/api/a']],
  [{ canonical: 'www.x.io:8081' }, redirectOf, [308, 'http://www.x.io:8081/api/a']],
  [{ canonical: '[::1]' }, (site) => site.canonicalHost, '[::1]'],
  [{ canonical: 'x.io' }, redirectOf, null],
  [{ canonical: 'www.x.io', https: 'redirect' }, redirectOf, [308, 'https://www.x.io/api/a']],
  [{ hsts: '60' }, hstsOf, ['Strict-Transport-Security', 'max-age=60']],
  [
    { hsts: '60; includeSubDomains; preload' },
    hstsOf,
    ['Strict-Transport-Security', 'max-age=60; includeSubDomains; preload'],
  ],
  [{ hsts: '0 includeSubdomains' }, hstsOf, ['Strict-Transport-Security', 'max-age=0; includeSubdomains']],
  [{ state: 'live' }, admissionOf, null],
  [{ slowStart: '0' }, balanceOf, null],
  [{ slowStart: '30' }, balanceOf, ['with equal probability', null]],
  [{ sticky: 'off' }, balanceOf, null],
  [{ sticky: 'home' }, stickyOf, { name: 'home', seconds: null }],
  [{ sticky: 'home 34560000' }, stickyOf, { name: 'home', seconds: 34_560_000 }],
  [{ 'timeouts.connect': '1' }, ({ limits }) => limits?.connectMs, 1_000],
  [{ 'timeouts.body': ' 0.25 ' }, ({ limits }) => limits?.bodyMs, 250],
  [{ 'limits.bodyBytes': '0' }, ({ limits }) => limits?.bodyBytes, 0],
  [{ buffer: 'off' }, ({ buffer }) => buffer, null],
  [{ buffer: 'request' }, ({ buffer }) => buffer, { request: true, response: false, bytes: 67_108_864 }],
  [{ buffer: 'response 10' }, ({ buffer }) => buffer, { request: false, response: true, bytes: 10 }],
  [{ buffer: 'both  1' }, ({ buffer }) => buffer, { request: true, response: true, bytes: 1 }],
  [{ balance: 'random' }, balanceOf, null],
  [{ balance: ' P2C ' }, balanceOf, ['of two drawn by chance the one with fewer requests', null]],
  [{ balance: 'leastconn' }, balanceOf, ['the one with the fewest requests', null]],
  [{ balance: 'roundrobin' }, balanceOf, ['each in its turn', null]],
  [{ balance: 'latency' }, balanceOf, ['of two drawn by chance the faster one', null]],
  [{ balance: 'hash:ip' }, balanceOf, ['by a hash of the client address', null]],
  [{ balance: 'hash:path' }, balanceOf, ['by a hash of the path', null]],
  [
    { balance: 'hash:header:X-User' },
    balanceOf,
    ['by a hash of the header X-User', { kind: 'header', name: 'x-user' }],
  ],
  [{ balance: 'hash:Cookie:User' }, balanceOf, ['by a hash of the cookie User', { kind: 'cookie', name: 'User' }]],
  [{ state: 'paused' }, admissionOf, ['held', 30]],
  [{ state: 'paused', pauseMax: '3600' }, admissionOf, ['held', 3600]],
  [{ state: 'maintenance' }, admissionOf, ['maintenance', 'Retry-After', '60']],
  [{ state: 'maintenance', retryAfter: '0' }, admissionOf, ['maintenance', 'Retry-After', '0']],
] as readonly (readonly [Readonly<Record<string, string>>, Seen, unknown])[]) {
  test(`${JSON.stringify(fields)} counts`, () => {
    for (const [field, text] of Object.entries(fields)) assert.equal(fieldFault(field, text), null);
    assert.deepEqual(seen(makeSite({ host: of({ ...fields }), prefix: of({ ...fields }) })), wanted);
  });
}

for (const [field, text] of [
  ['Strip', '1'],
  ['__proto__', '1'],
  ['constructor', '1'],
  ['strip', 'yes'],
  ['strip', ''],
  ['prepend', 'v2'],
  ['prepend', '/a b'],
  ['prepend', '/a?b'],
  ['prepend', '/a\r\nHost: x'],
  ['rewrite', '^/a$'],
  ['rewrite', '^/a$ /b c'],
  ['rewrite', '^/a$ http://x/'],
  ['https', 'on'],
  ['https', 'redirect 200'],
  ['https', 'redirect 301 302'],
  ['httpsPort', '0'],
  ['httpsPort', '65536'],
  ['redirectStatus', '304'],
  ['canonical', 'a b'],
  ['canonical', 'x.io/'],
  ['canonical', ''],
  ['hsts', '-1'],
  ['hsts', '60 everything'],
  ['hsts', 'max-age=60'],
  ['state', 'Paused'],
  ['pauseMax', '0'],
  ['slowStart', '-1'],
  ['slowStart', '3601'],
  ['slowStart', '1.5'],
  ['sticky', 'a b'],
  ['sticky', 'home=1'],
  ['sticky', 'home 0'],
  ['sticky', 'home 34560001'],
  ['sticky', 'home 60 x'],
  ['sticky', ''],
  ['balance', 'fair'],
  ['balance', 'hash'],
  ['balance', 'hash:query:a'],
  ['balance', 'hash:header:'],
  ['balance', 'hash:cookie:a b'],
  ['balance', `hash:header:${'a'.repeat(101)}`],
  ['timeouts.connect', '-1'],
  ['timeouts.connect', '5s'],
  ['timeouts.connect', '2147484'],
  ['timeouts.idle', '5'],
  ['limits.bodyBytes', '1.5'],
  ['limits.headerBytes', '16k'],
  ['buffer', 'on'],
  ['buffer', 'request 0'],
  ['buffer', 'both 64k'],
  ['pauseMax', '1.5'],
  ['retryAfter', '-1'],
] as const) {
  test(`${field} ${JSON.stringify(text)} does not`, () => {
    assert.notEqual(fieldFault(field, text), null);
    assert.equal(makeSite({ host: of({ [field]: text }) }), NO_SITE);
  });
}

test('what cannot be used in one layer is taken from the one before', () => {
  const site = makeSite({
    config: of({ hsts: '1', pauseMax: '7', retryAfter: '9' }),
    all: of({ hsts: '2', state: 'maintenance' }),
    host: of({ hsts: 'x', state: 'paused', mapBack: '1', strip: '1' }),
    prefix: of({ mapBack: '?' }),
  });
  const fields = { hsts: '2', pauseMax: '7', retryAfter: '9', state: 'paused', mapBack: '1' };
  assert.deepEqual(Object.fromEntries(site.fields), fields);
  assert.deepEqual(hstsOf(site), ['Strict-Transport-Security', 'max-age=2']);
  assert.deepEqual(admissionOf(site), ['held', 7]);
  assert.equal(targetOf(site), '/api/a');
  const again = makeSite({ prefix: site.fields });
  assert.deepEqual([again.fields, hstsOf(again), admissionOf(again)], [site.fields, hstsOf(site), admissionOf(site)]);
});

test('strip and prepend have no effect beside rewrite', () => {
  const [idle] = idleFields(of({ rewrite: '^/a$ /b', strip: '1', prepend: 'odd' }));
  assert.deepEqual(idle?.fields, ['strip']);
  assert.deepEqual(idleFields(of({ rewrite: 'odd', strip: '1' })), []);
});
