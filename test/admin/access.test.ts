import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AccessRules, checkAccess } from '../../lib/admin/access.ts';
import { Refusal } from '../../lib/admin/reply.ts';

const LOCAL: AccessRules = { token: null, isSocket: false };
const GUARDED: AccessRules = { token: 'secret', isSocket: false };
const HOST = { host: '127.0.0.1:8081' };

/** The code of the refusal; null when the request is fine. */
function refusal(path: string, headers: Record<string, string>, rules: AccessRules): string | null {
  try {
    checkAccess(path, headers, rules);
    return null;
  } catch (error) {
    assert.ok(error instanceof Refusal);
    return `${error.status} ${error.code}`;
  }
}

function withHeader(authorization: string): string | null {
  return refusal('/metrics', { ...HOST, authorization }, GUARDED);
}

function withProtocols(protocols: string): string | null {
  return refusal('/api/v1/events', { ...HOST, 'sec-websocket-protocol': protocols }, GUARDED);
}

function offered(token: string): string {
  return `hipache.events, hipache.token.${Buffer.from(token).toString('base64url')}`;
}

test('without a token, whoever asks by an address or by localhost may', () => {
  for (const host of ['127.0.0.1', '127.0.0.1:8081', '[::1]:8081', 'localhost', 'LocalHost:8081'])
    assert.equal(refusal('/metrics', { host }, LOCAL), null, host);
});

test('a name that another site has pointed here is refused', () => {
  for (const host of ['evil.test', 'evil.test:8081', 'localhost.evil.test', '', '127.0.0.1.evil.test'])
    assert.equal(refusal('/metrics', { host }, LOCAL), '403 foreign-host', host);
  assert.equal(refusal('/metrics', { host: 'whatever' }, { token: null, isSocket: true }), null);
});

test('probes are answered under every name, and without one', () => {
  for (const rules of [LOCAL, GUARDED]) {
    for (const path of ['/healthz', '/readyz']) {
      assert.equal(refusal(path, {}, rules), null);
      for (const host of ['', 'routers.internal', 'router-1.example.com:8081', '10.0.0.1:8081'])
        assert.equal(refusal(path, { host }, rules), null, host);
      assert.equal(refusal(path, { host: 'x.test', origin: 'http://monitor.test' }, rules), null);
    }
  }
  assert.equal(refusal('/', {}, LOCAL), '403 foreign-host');
  assert.equal(refusal('/readyz/', {}, LOCAL), '403 foreign-host');
});

test('a page of another site is refused, whatever it shows', () => {
  for (const rules of [LOCAL, GUARDED]) {
    for (const origin of ['http://evil.test', 'null', 'http://127.0.0.1:8080', 'http://127.0.0.1']) {
      const headers = { ...HOST, origin, authorization: 'Bearer secret' };
      assert.equal(refusal('/metrics', headers, rules), '403 foreign-origin', origin);
    }
    assert.equal(
      refusal('/metrics', { ...HOST, 'sec-fetch-site': 'cross-site', authorization: 'Bearer secret' }, rules),
      '403 foreign-origin',
    );
  }
  assert.equal(refusal('/metrics', { ...HOST, origin: 'http://127.0.0.1:8081' }, LOCAL), null);
});

test('where there is a token, it is needed for all but the page and what load balancers ask', () => {
  for (const path of ['/', '/healthz', '/readyz']) assert.equal(refusal(path, HOST, GUARDED), null);
  for (const path of ['/metrics', '/api/v1/workers', '//', '/nowhere', '/healthz/'])
    assert.equal(refusal(path, HOST, GUARDED), '401 token', path);
  // A name is fine then.
  assert.equal(refusal('/metrics', { host: 'admin.test', authorization: 'Bearer secret' }, GUARDED), null);
});

test('only the token itself will do', () => {
  assert.equal(withHeader('Bearer secret'), null);
  assert.equal(withHeader('bearer secret'), null);
  for (const wrong of [
    '',
    'secret',
    'Bearer',
    'Bearer ',
    'Bearer Secret',
    'Bearer secret2',
    'Bearer secret x',
    'Basic c2VjcmV0',
  ])
    assert.equal(withHeader(wrong), '401 token', wrong);
});

test('a WebSocket may bring the token as a subprotocol', () => {
  assert.equal(withProtocols(offered('secret')), null);
  assert.equal(withProtocols(offered('other')), '401 token');
  assert.equal(withProtocols('hipache.token.'), '401 token');
});
