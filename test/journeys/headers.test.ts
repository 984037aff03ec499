/** What a backend is told: the client's header section, and who the client is. */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { startSink } from '../support/backends.ts';
import { ask, send } from '../support/client.ts';
import { startRouter } from '../support/router.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const FORGED = ['X-Forwarded-For: 6.6.6.6', 'x-real-ip: 6.6.6.6', 'X-Forwarded-Proto: https', 'X-Forwarded-Port: 1'];

/** A router in front of a sink, and what the sink receives of a request with these header lines. */
async function start(
  t: Parameters<typeof startRouter>[0],
  server: Readonly<Record<string, unknown>>,
): Promise<{
  readonly port: number;
  readonly sent: (lines: readonly string[], requestLine?: string) => Promise<string[]>;
}> {
  const sink = await startSink(t);
  const { port } = await startRouter(t, { routes: { 'site.test': ['site', sink.url] }, server });
  return {
    port,
    sent: async (lines, requestLine = 'GET / HTTP/1.1') => {
      const before = sink.received().length;
      await send(port, `${[requestLine, ...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`);
      return sink.received().slice(before).trimEnd().split('\r\n');
    },
  };
}

/** The values of a field, whatever its case. */
function valuesOf(lines: readonly string[], name: string): string[] {
  const prefix = `${name.toLowerCase()}: `;
  return lines.flatMap((line) => (line.toLowerCase().startsWith(prefix) ? [line.slice(prefix.length)] : []));
}

test('a backend gets the request as it was sent, less what was for the router alone', async (t) => {
  const { port, sent } = await start(t, { trustedProxies: [] });

  await t.test('the target, and the order, case and duplicates of the fields are kept', async () => {
    const lines = [
      'aCCept: */*',
      'Host: SITE.test:81',
      'Cookie: a=1',
      'X-Empty: ',
      'cookie: b=2',
      'aCCept: x/y',
      'X-A:    spaced out  ',
    ];
    const received = await sent(lines, 'GET //a/../b?c%23 HTTP/1.1');
    const expected = [...lines.slice(0, -1), 'X-A: spaced out'];
    assert.equal(received[0], 'GET //a/../b?c%23 HTTP/1.1');
    assert.deepEqual(received.slice(1, 1 + expected.length), expected);
  });

  await t.test('bytes beyond ASCII come through as they are', async () => {
    const received = await sent(['Host: site.test', 'X-Bytes: caf\u00e9 \u00ff']);
    assert.deepEqual(valuesOf(received, 'X-Bytes'), ['caf\u00e9 \u00ff']);
  });

  await t.test('hop-by-hop fields and those that Connection names are left out', async () => {
    const hops = ['Connection: X-Mine, keep-alive', 'Keep-Alive: timeout=5', 'TE: trailers', 'Proxy-Connection: close'];
    const received = await sent(['Host: site.test', ...hops, 'X-Mine: 1', 'Upgrade: h2c', 'X-Yours: 2']);
    for (const name of ['Keep-Alive', 'TE', 'Proxy-Connection', 'X-Mine', 'Upgrade']) {
      assert.deepEqual(valuesOf(received, name), [], name);
    }
    assert.deepEqual(valuesOf(received, 'X-Yours'), ['2']);
  });

  await t.test('Connection may not take the host, or the router’s own word, away', async () => {
    const received = await sent(['Host: site.test', 'Connection: Host, X-Forwarded-For, X-Real-IP']);
    assert.deepEqual(valuesOf(received, 'Host'), ['site.test']);
    assert.deepEqual(valuesOf(received, 'X-Forwarded-For'), ['127.0.0.1']);
  });

  await t.test('the client’s address, scheme, port and host are told', async () => {
    const received = await sent(['Host: Site.test:81']);
    const told = Object.fromEntries(
      ['For', 'Proto', 'Protocol', 'Port', 'Host', 'Server'].map((name) => [
        name,
        valuesOf(received, `X-Forwarded-${name}`),
      ]),
    );
    assert.deepEqual(told, {
      For: ['127.0.0.1'],
      Proto: ['http'],
      Protocol: ['http'],
      Port: [String(port)],
      Host: ['Site.test:81'],
      Server: [hostname()],
    });
    assert.deepEqual(valuesOf(received, 'X-Real-IP'), ['127.0.0.1']);
  });

  await t.test('what an untrusted client claims to be is replaced', async () => {
    const received = await sent(['Host: site.test', ...FORGED, 'Forwarded: for=6.6.6.6', 'X_Forwarded_For: 6.6.6.6']);
    assert.deepEqual(valuesOf(received, 'X-Forwarded-For'), ['127.0.0.1']);
    assert.deepEqual(valuesOf(received, 'X-Real-IP'), ['127.0.0.1']);
    assert.deepEqual(valuesOf(received, 'X-Forwarded-Proto'), ['http']);
    assert.deepEqual(valuesOf(received, 'X-Forwarded-Port'), [String(port)]);
    assert.doesNotMatch(received.join('\n'), /6\.6\.6\.6/);
  });

  await t.test('every request gets an id of its own, whatever an untrusted client sent', async () => {
    const ids = [...(await sent(['Host: site.test'])), ...(await sent(['Host: site.test', 'X-Request-Id: mine']))];
    const [first = '', second = '', ...more] = valuesOf(ids, 'X-Request-Id');
    assert.match(first, UUID);
    assert.match(second, UUID);
    assert.notEqual(first, second);
    assert.deepEqual(more, []);
  });
});

test('a trusted proxy is believed, and joins the chain', async (t) => {
  const { sent } = await start(t, {});
  const received = await sent(['Host: site.test', ...FORGED, 'X-Request-Id: theirs-1']);
  assert.deepEqual(valuesOf(received, 'X-Forwarded-For'), ['6.6.6.6, 127.0.0.1']);
  assert.deepEqual(valuesOf(received, 'X-Real-IP'), ['6.6.6.6']);
  assert.deepEqual(valuesOf(received, 'X-Forwarded-Proto'), ['https']);
  assert.deepEqual(valuesOf(received, 'X-Forwarded-Port'), ['1']);
  assert.deepEqual(valuesOf(received, 'X-Request-Id'), ['theirs-1']);
});

test('as Hipache did it: fields are set only where absent, IPv4 in the clothes of IPv6, and no ids', async (t) => {
  const { port, sent } = await start(t, { forwarded: 'hipache', requestId: 'off', trustedProxies: [] });
  const plain = await sent(['Host: site.test']);
  assert.deepEqual(
    plain.slice(1).filter((line) => !line.startsWith('Connection')),
    [
      'Host: site.test',
      'X-Forwarded-For: ::ffff:127.0.0.1',
      'X-Real-IP: ::ffff:127.0.0.1',
      'X-Forwarded-Protocol: http',
      'X-Forwarded-Proto: http',
      `X-Forwarded-Port: ${port}`,
    ],
  );
  const forged = await sent(['Host: site.test', ...FORGED, 'X-Request-Id: mine']);
  for (const line of [...FORGED, 'X-Request-Id: mine']) assert.ok(forged.includes(line), line);
  assert.deepEqual(valuesOf(forged, 'X-Forwarded-For'), ['6.6.6.6']);
});

test('a client gets the answer as it was sent, less what was for the router alone', async (t) => {
  const lines = ['HTTP/1.1 218 All Right', 'server: x', 'Set-Cookie: a=1', 'X-Hop: 1', 'set-COOKIE: b=2', 'X-Empty: '];
  const hops = [
    'Connection: X-Hop, close',
    'Keep-Alive: timeout=9',
    'Upgrade: h2c',
    'Date: yesterday',
    'Content-Length: 2',
  ];
  const sink = await startSink(t, `${[...lines, ...hops].join('\r\n')}\r\n\r\nok`);
  const { port } = await startRouter(t, { routes: { 'site.test': ['site', sink.url] } });
  const text = await send(port, 'GET / HTTP/1.1\r\nHost: site.test\r\n\r\n', (so) => so.endsWith('ok'));
  assert.deepEqual(
    text.split('\r\n').filter((line) => !/^(?:Connection|Keep-Alive): /.test(line)),
    [
      'HTTP/1.1 218 All Right',
      'server: x',
      'Set-Cookie: a=1',
      'set-COOKIE: b=2',
      'X-Empty: ',
      'Date: yesterday',
      'Content-Length: 2',
      '',
      'ok',
    ],
  );
  // The backend closes; that is between it and the router.
  assert.match(text, /\r\nConnection: keep-alive\r\n/);
  assert.equal((await ask({ port })).status, 218);
});
