import assert from 'node:assert/strict';
import { test } from 'node:test';
import { innerRequest } from '../../lib/http2/inner-request.ts';
import { GET } from '../support/http2.ts';

/** The first line that GET of `site.test` becomes, with some of its fields replaced; null where it is malformed. */
function lineOf(changed: Readonly<Record<string, string>>): string | null {
  const raw = { ...Object.fromEntries(GET), ...changed };
  return innerRequest(Object.entries(raw).flat(), true, () => 'key')?.text.split('\r\n', 1)[0] ?? null;
}

test('a path is one, or * with OPTIONS', () => {
  assert.equal(lineOf({ ':path': '/a?b' }), 'GET /a?b HTTP/1.1');
  assert.equal(lineOf({ ':path': '*', ':method': 'OPTIONS' }), 'OPTIONS * HTTP/1.1');
  for (const path of ['', '*', '**', 'a', 'http://other.test/', '?a', '#a', '/a b', '/a\tb']) {
    assert.equal(lineOf({ ':path': path }), null, path);
    if (path !== '*') assert.equal(lineOf({ ':path': path, ':method': 'OPTIONS' }), null, path);
    assert.equal(lineOf({ ':path': path, ':method': 'CONNECT', ':protocol': 'websocket' }), null, path);
  }
});

test('a scheme is http or https, in any case; another is left in the target, for the router to refuse', () => {
  for (const scheme of ['http', 'https', 'HTTP', 'hTTps']) {
    assert.equal(lineOf({ ':scheme': scheme }), 'GET / HTTP/1.1');
  }
  assert.equal(lineOf({ ':scheme': 'foo', ':path': '/a' }), 'GET foo://site.test/a HTTP/1.1');
  assert.equal(lineOf({ ':scheme': 'foo', ':path': 'http://b/' }), 'GET foo://site.testhttp://b/ HTTP/1.1');
  for (const scheme of ['', 'http:', 'http://other.test/?', '1a', 'a b']) {
    assert.equal(lineOf({ ':scheme': scheme }), null, scheme);
  }
});
