import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_SITE } from '../../lib/core/routing/site.ts';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import { type Span, spansOf, type TracedExchange } from '../../lib/core/record/spans.ts';
import { attemptId, type Trace } from '../../lib/core/trace-context.ts';
import type { Backend, Outcome } from '../../lib/core/routing/types.ts';

const trace: Trace = {
  traceId: 'a'.repeat(32),
  parentId: 'b'.repeat(16),
  spanId: 'c'.repeat(16),
  isSampled: true,
  flags: '01',
  state: '',
};

function backendAt(url: string): Backend {
  const parsed = parseBackend(url, 0);
  if ('fault' in parsed) throw new Error(parsed.fault);
  return parsed.backend;
}

const backend = backendAt('http://ann:s3cret@10.0.0.7:8080/ignored');
const broken: Outcome = { type: 'broken', cause: new Error('reset') };

function answered(status: number): Outcome {
  return { type: 'answered', status, retryAfter: false };
}

const plain: TracedExchange = {
  trace,
  method: 'GET',
  target: '/a/b?token=s3cret',
  version: '1.1',
  isTls: false,
  authority: 'Www.Site.test:8443',
  clientIp: '198.51.100.7',
  peerAddress: '10.0.0.1',
  status: 200,
  route: {
    frontend: 'www.site.test',
    key: '*.site.test',
    prefix: '',
    name: 'my site',
    backends: [backend],
    size: 1,
    dead: new Set(),
    deadByRouters: new Set(),
    onTrial: new Map(),
    site: NO_SITE,
  },
  startedAt: 10,
  endedAt: 40,
  attempts: [{ backend, startedAt: 12, tookMs: 5, outcome: answered(200) }],
  refusal: null,
  ending: 'whole',
};

function both(changes: Partial<TracedExchange>): readonly [Span, Span] {
  const [server, client] = spansOf({ ...plain, ...changes }, 1_000);
  assert.ok(server && client);
  return [server, client];
}

test('an exchange is a span, and its attempt a child of that', () => {
  assert.deepEqual(spansOf(plain, 1_000), [
    {
      name: 'GET',
      kind: 'server',
      spanId: trace.spanId,
      parentId: trace.parentId,
      startMs: 1_010,
      endMs: 1_040,
      isError: false,
      attributes: {
        'http.request.method': 'GET',
        'url.scheme': 'http',
        'url.path': '/a/b',
        'server.address': 'www.site.test',
        'server.port': 8443,
        'client.address': '198.51.100.7',
        'network.peer.address': '10.0.0.1',
        'network.protocol.version': '1.1',
        'http.response.status_code': 200,
        'hipache.frontend': 'my site',
        'hipache.key': '*.site.test',
        'hipache.backend': 'http://10.0.0.7:8080',
      },
    },
    {
      name: 'GET',
      kind: 'client',
      spanId: attemptId(trace, 0),
      parentId: trace.spanId,
      startMs: 1_012,
      endMs: 1_040,
      isError: false,
      attributes: {
        'http.request.method': 'GET',
        'server.address': '10.0.0.7',
        'server.port': 8080,
        'url.full': 'http://10.0.0.7:8080/a/b',
        'hipache.backend': 'http://10.0.0.7:8080',
        'http.response.status_code': 200,
      },
    },
  ]);
});

test('a retry is a second attempt, numbered', () => {
  const spans = spansOf(
    {
      ...plain,
      attempts: [
        { backend, startedAt: 12, tookMs: 5, outcome: broken },
        { backend, startedAt: 18, tookMs: 5, outcome: answered(200) },
      ],
    },
    0,
  );
  const [server, first, second] = spans;
  assert.deepEqual([server?.isError, first?.isError, second?.isError], [false, true, false]);
  assert.equal(first?.attributes['error.type'], 'broken');
  assert.deepEqual([first?.startMs, first?.endMs, second?.endMs], [12, 17, 40]);
  assert.equal(first?.attributes['http.request.resend_count'], undefined);
  assert.equal(second?.attributes['http.request.resend_count'], 1);
  assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, 3);
});

/** What happened, and `error.type` of the exchange and of its last attempt. */
const FAULTS: readonly (readonly [string, Partial<TracedExchange>, Outcome, string | undefined, string | undefined])[] =
  [
    ['a 404 is the client’s mistake', { status: 404 }, answered(404), undefined, '404'],
    ['a 500 is the backend’s', { status: 500 }, answered(500), '500', '500'],
    ['a 502 has a reason', { status: 502, refusal: 'backend-failed' }, broken, 'backend-failed', 'broken'],
    [
      'a 408 has one too, but is the client’s',
      { status: 408, refusal: 'request-timeout' },
      { type: 'abandoned' },
      undefined,
      'abandoned',
    ],
    ['a client that left unanswered', { status: 0, ending: 'left' }, { type: 'abandoned' }, 'client-left', 'abandoned'],
    ['one that has heard enough of an answer', { ending: 'left' }, answered(200), undefined, undefined],
    ['an answer that broke off', { ending: 'cut' }, answered(200), 'response-cut', 'response-cut'],
    ['a WebSocket', { status: 101 }, { type: 'upgraded' }, undefined, undefined],
  ];

for (const [what, changes, outcome, ofExchange, ofAttempt] of FAULTS) {
  test(`error.type: ${what}`, () => {
    const [server, client] = both({ ...changes, attempts: [{ backend, startedAt: 1, tookMs: 1, outcome }] });
    assert.equal(server.attributes['error.type'], ofExchange);
    assert.equal(client.attributes['error.type'], ofAttempt);
    assert.deepEqual([server.isError, client.isError], [ofExchange !== undefined, ofAttempt !== undefined]);
    assert.equal(server.attributes['hipache.refusal'], changes.refusal);
    assert.equal(
      server.attributes['http.response.status_code'],
      changes.status === 0 ? undefined : (changes.status ?? 200),
    );
  });
}

test('an unheard-of method is no name of a span', () => {
  const [server] = both({ method: 'BREW' });
  assert.equal(server.name, 'HTTP');
  assert.equal(server.attributes['http.request.method'], '_OTHER');
  assert.equal(server.attributes['http.request.method_original'], 'BREW');
});

test('no query, no user and no password is told, and no text is long', () => {
  const spans = spansOf({ ...plain, target: `/${'x'.repeat(5_000)}?s3cret`, method: 'M'.repeat(5_000) }, 0);
  const text = JSON.stringify(spans);
  assert.doesNotMatch(text, /s3cret/);
  assert.ok(text.length < 6_000);
});

test('what is not known is left out', () => {
  const [server] = spansOf(
    {
      ...plain,
      target: '*',
      authority: null,
      clientIp: '',
      route: null,
      attempts: [],
      trace: { ...trace, parentId: null },
    },
    0,
  );
  assert.equal(server?.parentId, null);
  for (const key of ['url.path', 'server.address', 'client.address', 'hipache.frontend', 'hipache.backend']) {
    assert.equal(server?.attributes[key], undefined, key);
  }
});

const addressOf = (authority: string): unknown => both({ authority })[0].attributes['server.address'];

test('hosts lose their port and their brackets', () => {
  assert.equal(addressOf('[2001:db8::1]:81'), '2001:db8::1');
  assert.equal(addressOf('site.test'), 'site.test');
  assert.equal(addressOf('not a:host:at all'), undefined);
});
