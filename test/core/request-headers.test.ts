import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Peer } from '../../lib/core/http/forwarded.ts';
import { readHead } from '../../lib/core/http/request-head.ts';
import { type OutgoingRequest, type RequestHeaderPolicy, requestHeaders } from '../../lib/core/http/request-headers.ts';

const stranger: Peer = { address: '203.0.113.9', isTrusted: false, isTls: false, localPort: 80 };
const friend: Peer = { ...stranger, address: '10.0.0.1', isTrusted: true };
const standard: RequestHeaderPolicy = {
  style: 'standard',
  isTrusted: (address) => address.startsWith('10.'),
  serverName: 'router1',
  makeRequestId: () => 'made-here',
  tellsRequestId: false,
  trace: null,
};
const hipache: RequestHeaderPolicy = { ...standard, style: 'hipache', makeRequestId: null };

interface Case {
  readonly method?: string;
  readonly target?: string;
  readonly peer?: Peer;
  readonly policy?: RequestHeaderPolicy;
}

function outgoing(
  rawHeaders: readonly string[],
  { method = 'GET', target = '/', peer = stranger, policy = standard }: Case = {},
): OutgoingRequest {
  return requestHeaders(readHead({ method, target, version: '1.1', rawHeaders }), rawHeaders, peer, policy);
}

/** Every value of a field, by its exact name. */
function values({ headers }: OutgoingRequest, name: string): string[] {
  return headers.filter((_value, at) => at % 2 === 1 && headers[at - 1] === name);
}

/** Names and values up to the fields that the router adds. */
function passedOn({ headers }: OutgoingRequest): string[] {
  return headers.slice(0, headers.indexOf('X-Forwarded-For'));
}

test('order, case, duplicates and empty values come through', () => {
  const raw = ['aCCept', '*/*', 'Host', 'A.test:81', 'Cookie', 'a=1', 'X-E', '', 'cookie', 'b=2', 'aCCept', 'x/y'];
  assert.deepEqual(passedOn(outgoing(raw)), raw);
});

test('the host of an absolute-form target replaces the Host field, in its place', () => {
  const raw = ['X-A', '1', 'host', 'a.test', 'X-B', '2'];
  assert.deepEqual(passedOn(outgoing(raw, { target: 'http://b.test:82/' })), [
    'X-A',
    '1',
    'host',
    'b.test:82',
    'X-B',
    '2',
  ]);
});

test('hop-by-hop fields and those named by Connection stay here', () => {
  const raw = ['Host', 'a.test', 'Connection', 'close, X-Mine', 'Keep-Alive', '5', 'TE', 'trailers', 'X-Mine', '1'];
  assert.deepEqual(passedOn(outgoing([...raw, 'Proxy-Connection', 'x', 'Upgrade', 'h2c', 'HTTP2-Settings', 'x'])), [
    'Host',
    'a.test',
  ]);
});

test('a body is framed as it was parsed, under the name the client wrote', () => {
  const raw = ['Host', 'a.test', 'CONTENT-length', '007', 'X', 'y'];
  assert.deepEqual(passedOn(outgoing(raw, { method: 'POST' })), ['Host', 'a.test', 'CONTENT-length', '7', 'X', 'y']);
  const chunked = ['Host', 'a.test', 'transfer-encoding', 'Chunked', 'Trailer', 'X-Sum'];
  assert.deepEqual(passedOn(outgoing(chunked, { method: 'DELETE' })), [
    'Host',
    'a.test',
    'transfer-encoding',
    'chunked',
    'Trailer',
    'X-Sum',
  ]);
});

test('a request without a body gets a length of 0 where its method expects one', () => {
  assert.deepEqual(passedOn(outgoing(['Host', 'a.test'], { method: 'POST' })), [
    'Host',
    'a.test',
    'Content-Length',
    '0',
  ]);
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']) {
    assert.deepEqual(passedOn(outgoing(['Host', 'a.test'], { method })), ['Host', 'a.test'], method);
  }
});

test('Trailer and Expect go on only where they can mean something', () => {
  const raw = ['Host', 'a.test', 'Trailer', 'X-Sum', 'Expect', '100-continue'];
  assert.deepEqual(passedOn(outgoing(raw)), ['Host', 'a.test']);
  const withBody = ['Host', 'a.test', 'Expect', '100-continue', 'Content-Length', '2'];
  assert.deepEqual(passedOn(outgoing(withBody, { method: 'PUT' })), withBody);
});

const FORGED = [
  'X-Forwarded-For',
  '6.6.6.6',
  'X-Real-IP',
  '6.6.6.6',
  'x-forwarded-proto',
  'https',
  'Forwarded',
  'for=6',
];

test('standard: a stranger cannot forge who it is', () => {
  const sent = outgoing(['Host', 'a.test', ...FORGED, 'X-Forwarded-Ssl', 'on']);
  assert.deepEqual(values(sent, 'X-Forwarded-For'), ['203.0.113.9']);
  assert.deepEqual(values(sent, 'X-Real-IP'), ['203.0.113.9']);
  assert.deepEqual(values(sent, 'X-Forwarded-Proto'), ['http']);
  for (const name of ['Forwarded', 'x-forwarded-proto', 'X-Forwarded-Ssl'])
    assert.deepEqual(values(sent, name), [], name);
  assert.equal(sent.clientIp, '203.0.113.9');
});

test('standard: a trusted proxy is believed, and joins the chain', () => {
  const sent = outgoing(['Host', 'a.test', ...FORGED], { peer: friend });
  assert.deepEqual(values(sent, 'X-Forwarded-For'), ['6.6.6.6, 10.0.0.1']);
  assert.deepEqual(values(sent, 'X-Real-IP'), ['6.6.6.6']);
  assert.deepEqual(values(sent, 'x-forwarded-proto'), ['https']);
  assert.deepEqual(values(sent, 'X-Forwarded-Proto'), []);
  assert.deepEqual(values(sent, 'Forwarded'), ['for=6']);
  assert.equal(sent.clientIp, '6.6.6.6');
});

test('aliases with underscores are nobody’s to send', () => {
  for (const peer of [stranger, friend]) {
    const sent = outgoing(['Host', 'a.test', 'X_Forwarded_For', '6.6.6.6', 'X_Real_IP', '6.6.6.6'], { peer });
    assert.deepEqual(passedOn(sent), ['Host', 'a.test']);
  }
});

for (const name of [
  'X_Forwarded-For',
  'X!Forwarded.Proto',
  'x-real_ip',
  'X_Request_Id',
  'X_Request-Id',
  'x-request_id',
  'X.Request.Id',
  'X_SSL-Client_Verify',
  'X-SSL-Client~DN',
  'Content_Length',
  'transfer_encoding',
  'Proxy',
  'PROXY',
]) {
  test(`${name} is not passed on, neither from strangers nor from trusted peers`, () => {
    for (const peer of [stranger, friend]) {
      for (const policy of [undefined, { ...hipache, makeRequestId: () => 'made' }]) {
        const sent = outgoing(['Host', 'a.test', name, '6'], policy === undefined ? { peer } : { peer, policy });
        assert.ok(!sent.headers.includes(name) && !sent.headers.includes('6'));
      }
    }
  });
}

for (const name of ['X_Forwarded', 'X_Request_Ids', 'Proxy-Mode', 'Content_Language', 'Transfer_Encodings', '_']) {
  test(`${name} is passed on`, () => {
    assert.deepEqual(passedOn(outgoing(['Host', 'a.test', name, '6'])), ['Host', 'a.test', name, '6']);
  });
}

test('hipache: fields are set only where absent, whoever sent them', () => {
  const sent = outgoing(['Host', 'a.test', ...FORGED], { policy: hipache });
  assert.deepEqual(sent.headers, [
    'Host',
    'a.test',
    ...FORGED,
    'X-Forwarded-Protocol',
    'http',
    'X-Forwarded-Port',
    '80',
  ]);
});

test('a request id is made, unless a trusted proxy sent a sane one', () => {
  assert.deepEqual(values(outgoing(['Host', 'a.test']), 'X-Request-Id'), ['made-here']);
  const raw = ['Host', 'a.test', 'x-request-ID', 'theirs-1'];
  assert.deepEqual(outgoing(raw).requestId, 'made-here');
  assert.deepEqual(values(outgoing(raw, { peer: friend }), 'X-Request-Id'), ['theirs-1']);
  const odd = ['Host', 'a.test', 'X-Request-Id', 'a b"c'];
  assert.equal(outgoing(odd, { peer: friend }).requestId, 'made-here');
});

test('with request ids off, the client’s own goes through untouched', () => {
  const policy: RequestHeaderPolicy = { ...standard, makeRequestId: null };
  const sent = outgoing(['Host', 'a.test', 'x-request-id', 'a b'], { policy });
  assert.deepEqual(values(sent, 'x-request-id'), ['a b']);
  assert.equal(sent.requestId, null);
});

test('a WebSocket handshake says so again, once', () => {
  const sent = outgoing([
    'Host',
    'a.test',
    'connection',
    'keep-alive, Upgrade',
    'upgrade',
    'WebSocket',
    'Sec-WebSocket-Key',
    'k',
  ]);
  assert.deepEqual(sent.headers.slice(-4), ['Connection', 'Upgrade', 'Upgrade', 'websocket']);
  assert.deepEqual(passedOn(sent), ['Host', 'a.test', 'Sec-WebSocket-Key', 'k']);
});
