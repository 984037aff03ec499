import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { mergeOptions, NO_OPTIONS, OPTION_NAMES, optionFault, type RouteOptions } from '../../lib/core/options.ts';
import { codesOf, rowsOf } from '../support/markdown.ts';

const of = (fields: Readonly<Record<string, string>>) => new Map(Object.entries(fields));

test('the table of options holds every option, and no other', () => {
  const rows = rowsOf(readFileSync(join(packageRoot, 'docs/sites.md'), 'utf8'), 'field');
  assert.deepEqual(
    rows.flatMap(([field = '']) => codesOf(field)),
    OPTION_NAMES,
  );
});

for (const [field, text, wanted] of [
  ['strip', ' 1\n', { rewrite: { strip: true, prepend: '', pattern: null } }],
  ['strip', 'TRUE', { rewrite: { strip: true, prepend: '', pattern: null } }],
  ['strip', '0', { rewrite: null }],
  ['prepend', '/', { rewrite: null }],
  ['mapBack', 'true', { mapBack: true }],
  ['https', 'redirect', { https: 'redirect', httpsStatus: null }],
  ['https', 'redirect 301', { https: 'redirect', httpsStatus: 301 }],
  ['https', 'both', { https: null }],
  ['httpsPort', '8443', { httpsPort: 8443 }],
  ['redirectStatus', '302', { redirectStatus: 302 }],
  ['canonical', 'WWW.x.io', { canonical: { hostname: 'www.x.io', port: null } }],
  ['canonical', 'x.io:8080', { canonical: { hostname: 'x.io', port: ':8080' } }],
  ['canonical', '[::1]', { canonical: { hostname: '[::1]', port: null } }],
  ['hsts', '60', { hsts: 'max-age=60' }],
  ['hsts', '60; includeSubDomains; preload', { hsts: 'max-age=60; includeSubDomains; preload' }],
  ['hsts', '0 includeSubdomains', { hsts: 'max-age=0; includeSubdomains' }],
  ['state', 'paused', { state: 'paused' }],
  ['pauseMax', '3600', { pauseMax: 3600 }],
  ['retryAfter', '0', { retryAfter: 0 }],
] as const) {
  test(`${field} ${JSON.stringify(text)} counts`, () => {
    assert.equal(optionFault(field, text), null);
    const options: Partial<RouteOptions> = mergeOptions({ host: of({ [field]: text }) });
    for (const [name, value] of Object.entries(wanted)) {
      assert.deepEqual(options[name as keyof RouteOptions], value, name);
    }
  });
}

for (const [field, text] of [
  ['Strip', '1'],
  ['__proto__', '1'],
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
  ['pauseMax', '1.5'],
  ['retryAfter', '-1'],
] as const) {
  test(`${field} ${JSON.stringify(text)} does not`, () => {
    assert.notEqual(optionFault(field, text), null);
    assert.equal(mergeOptions({ host: of({ [field]: text }) }), NO_OPTIONS);
  });
}

test('what cannot be used in one layer is taken from the one before', () => {
  const options = mergeOptions({
    config: of({ hsts: '1', pauseMax: '7', retryAfter: '9' }),
    all: of({ hsts: '2', state: 'maintenance' }),
    host: of({ hsts: 'x', state: 'live', mapBack: '1', strip: '1' }),
    prefix: of({ mapBack: '?' }),
  });
  const { hsts, pauseMax, retryAfter, state, mapBack, rewrite } = options;
  const wanted = { hsts: 'max-age=2', pauseMax: 7, retryAfter: 9, state: 'live', mapBack: true, rewrite: null };
  assert.deepEqual({ hsts, pauseMax, retryAfter, state, mapBack, rewrite }, wanted);
  assert.deepEqual(Object.fromEntries(options.fields), {
    hsts: '2',
    pauseMax: '7',
    retryAfter: '9',
    state: 'live',
    mapBack: '1',
  });
  assert.deepEqual(mergeOptions({ prefix: options.fields }), options, 'written down, they are the same');
});
