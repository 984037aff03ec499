import assert from 'node:assert/strict';
import { test } from 'node:test';
import { USUAL_URLS } from '../../lib/core/routing/url-rules.ts';
import { isUrlLike, readUrl } from '../../lib/diagnostics/url-faults.ts';

for (const [text, code, ...meant] of [
  ['10.0.0.1', 'no-scheme', 'http://10.0.0.1'],
  ['10.0.0.1:8080', 'no-scheme', 'http://10.0.0.1:8080'],
  ['//10.0.0.1:8080', 'no-scheme', 'http://10.0.0.1:8080'],
  ['localhost:8080', 'no-scheme', 'http://localhost:8080'],
  ['backend-1:8080', 'no-scheme', 'http://backend-1:8080'],
  ['[::1]:8080', 'no-scheme', 'http://[::1]:8080'],
  ['htps://h:1', 'bad-scheme', 'https://h:1'],
  ['htttp://h:1', 'bad-scheme', 'http://h:1'],
  ['ws://h:1', 'bad-scheme', 'http://h:1'],
  ['wss://h:1', 'bad-scheme', 'https://h:1'],
  ['ftp://h:1', 'bad-scheme', 'http://HOST:PORT'],
  ['grpc://h:1', 'bad-scheme', 'h2c://h:1'],
  ['grpcs://h:1', 'bad-scheme', 'h2://h:1'],
  ['h2c:/h:1', 'bad-url', 'h2c://h:1'],
  ['h2://h', 'no-port', 'h2://h:443'],
  ['https:/h:1', 'bad-url', 'https://h:1'],
  ['http:h:1', 'bad-url', 'http://h:1'],
  ['http//h:1', 'bad-url', 'http://h:1'],
  ['http;//h:1', 'bad-url', 'http://h:1'],
  ['http://h:0', 'bad-url', 'http://HOST:PORT'],
  ['unix:/run/app.sock', 'bad-url', 'http://[unix:/run/app.sock]'],
  ['unix:///run/app.sock', 'bad-url', 'http://[unix:/run/app.sock]'],
  ['http://unix:/run/app.sock:/', 'bad-url', 'http://[unix:/run/app.sock]'],
  ['unix:/run/app.sock|http://localhost/', 'bad-url', 'http://[unix:/run/app.sock]'],
  ['http://[unix:/run/app.sock]/base', 'path-ignored', 'http://[unix:/run/app.sock]'],
  ['nothing at all', 'bad-url', 'http://HOST:PORT'],
  ['', 'bad-url', 'http://HOST:PORT'],
  ['http://a:1 http://b:2', 'two-urls', 'http://a:1', 'http://b:2'],
  ['http://a:10,b:20', 'two-urls', 'http://a:10', 'http://b:20'],
  ['http://a/;http://b:2; http://c:3', 'two-urls', 'http://a/', 'http://b:2', 'http://c:3'],
  ['http://u:secret@h:1/p', 'path-ignored', 'http://h:1'],
  ['\thttp://h:1\n', 'space-around', 'http://h:1'],
  ['redirct://x.io/', 'bad-scheme', 'redirect://x.io/'],
  ['redirect:/x.io/', 'bad-url', 'redirect://x.io/'],
  ['redirect://x.io/ 200', 'bad-url', 'http://HOST:PORT'],
  ['redirect+ftp://x.io/', 'bad-url', 'redirect+http://x.io/'],
  ['file://h/srv', 'bad-url', 'http://HOST:PORT'],
  [' redirect://x.io/ 301', 'space-around', 'redirect://x.io/ 301'],
  ['https://h', 'no-port', 'https://h:443'],
] as const) {
  test(`${JSON.stringify(text)} is ${code}: write ${meant.join(' and ')}`, () => {
    const [slip] = readUrl(text, 0, USUAL_URLS).slips;
    assert.equal(slip?.code, code);
    assert.deepEqual(slip.meant, meant);
    assert.doesNotMatch(JSON.stringify(slip), /secret/);
  });
}

test('what is written as it should be has no slip', () => {
  for (const text of [
    'http://10.0.0.1:80',
    'https://h:443',
    'http://[2001:db8::1]:8080',
    'http://a-b_c.internal:1/',
    'http://[unix:/run/app.sock]/',
    'h2c://h:1',
    'h2://[::1]:1',
    'redirect://x.io/',
    'redirect+https://x.io:8443/a 302',
    'file:///srv/www/',
  ]) {
    assert.deepEqual(readUrl(text, 0, USUAL_URLS), { unusable: null, slips: [] });
  }
});

test('an identifier is no URL, whatever it looks like', () => {
  for (const text of ['mywebsite', 'www.example.com', 'team: shop', 'app/web', 'v1.2', 'a:b', '']) {
    assert.ok(!isUrlLike(text), text);
  }
  for (const text of [
    'http://h',
    'htps://h',
    'https:/h',
    'http//h',
    '10.0.0.1',
    '10.0.0.1:80',
    'backend:8080',
    'redirect+https://h',
    'file:///srv',
    '[::1]:80',
  ]) {
    assert.ok(isUrlLike(text), text);
  }
});

const PATHS = { backendPath: true };
const CLEAR = { legacyScheme: true };

for (const [rules, text, code, ...meant] of [
  [PATHS, 'http://h:1/base', null],
  [PATHS, 'http://h:1/base/', null],
  [PATHS, 'http://[unix:/run/app.sock]/base', null],
  [PATHS, 'http://h:1/base?a=b', 'path-ignored', 'http://h:1/base'],
  [PATHS, 'http://h:1?a', 'path-ignored', 'http://h:1'],
  [PATHS, 'http://h/base', 'no-port', 'http://h:80/base'],
  [PATHS, 'http://u:secret@h:1/base', 'user-ignored', 'http://h:1/base'],
  [PATHS, ' http://h:1/base', 'space-around', 'http://h:1/base'],
  [CLEAR, 'http://h:1', null],
  [CLEAR, 'h2://h:1', null],
  [CLEAR, 'https://h:443', 'https-ignored', 'http://h:443'],
  [CLEAR, 'https://h', 'https-ignored', 'http://h:80'],
] as const) {
  test(`by ${JSON.stringify(rules)} ${JSON.stringify(text)} is ${code ?? 'as it should be'}`, () => {
    const { slips } = readUrl(text, 0, { ...USUAL_URLS, ...rules });
    assert.equal(slips.length, code === null ? 0 : 1);
    assert.deepEqual([slips[0]?.code ?? null, ...(slips[0]?.meant ?? [])], [code, ...meant]);
  });
}
