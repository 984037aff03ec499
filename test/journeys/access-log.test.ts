/** The access log: one line for each request, byte for byte Hipache's. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { refusingUrl, says, startBackend, startRawBackend } from '../support/backends.ts';
import { ask, dial, send } from '../support/client.ts';
import { startRouter } from '../support/router.ts';
import { startWebSocketBackend } from '../support/websockets.ts';

const DAY = '(?:0[1-9]|[12][0-9]|3[01])\\/(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\\/20[0-9]{2}';
const TIME = `\\[${DAY}:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9] \\+0000\\]`;
const SECONDS = '[0-9]+\\.[0-9]{3}';

interface Line {
  readonly request: string;
  readonly status: number;
  readonly bytes: number | string;
  readonly referer?: string;
  readonly agent?: string;
  readonly name: string;
  readonly ip?: string;
}

/** The whole line, from its first byte to its last. */
function whole({
  request: said,
  status,
  bytes,
  referer = '-',
  agent = '-',
  name,
  ip = '::ffff:127.0.0.1',
}: Line): RegExp {
  const fields = `${escaped(`"${said}"`)} ${status} ${bytes} ${escaped(`"${referer}" "${agent}" "${name}"`)}`;
  return new RegExp(`^${escaped(ip)} - - ${TIME} ${fields} ${SECONDS} ${SECONDS}$`);
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

test('every request makes one line, whatever became of it', async (t) => {
  const body = 'x'.repeat(370);
  const site = await startBackend(t, says(body));
  const silent = await startRawBackend(t, (socket) => socket.resume());
  const endless = await startBackend(t, (_request, response) => response.write('begun'));
  const cutting = await startRawBackend(t, (socket) =>
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')),
  );
  const sockets = await startWebSocketBackend(t);
  const router = await startRouter(t, {
    routes: {
      'site.test': ['identifier', site.url],
      'odd.test': ['a "name"\\ \u2603', site.url],
      'refused.test': ['refused', refusingUrl()],
      'silent.test': ['silent', silent.url],
      'endless.test': ['endless', endless.url],
      'cut.test': ['cut', cutting.url],
      'socket.test': ['sockets', sockets.url],
    },
  });
  const { port } = router;

  await t.test('an answer, with referer, agent and identifier', async () => {
    await ask({ port, headers: { Referer: 'ref', 'User-Agent': 'ua' } });
    const line = {
      request: 'GET / HTTP/1.1',
      status: 200,
      bytes: 370,
      referer: 'ref',
      agent: 'ua',
      name: 'identifier',
    };
    await router.line(whole(line));
  });

  await t.test('the bytes are those of this answer, on a connection that is kept too', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 1; i <= 3; i++) await ask({ port, path: `/kept/${i}`, agent });
    agent.destroy();
    for (let i = 1; i <= 3; i++) {
      await router.line(whole({ request: `GET /kept/${i} HTTP/1.1`, status: 200, bytes: 370, name: 'identifier' }));
    }
  });

  await t.test('an answer to HEAD has no bytes', async () => {
    await ask({ port, method: 'HEAD', path: '/head' });
    await router.line(whole({ request: 'HEAD /head HTTP/1.1', status: 200, bytes: 0, name: 'identifier' }));
  });

  await t.test('nobody can end a field or a line from outside', async () => {
    const head = 'GET /a"b\\c HTTP/1.0\r\nHost: site.test\r\nUser-Agent: "\\\t\u00e9\r\nReferer: a" 200 "b\r\n\r\n';
    await send(port, head);
    await router.line(
      whole({
        request: String.raw`GET /a\x22b\x5Cc HTTP/1.0`,
        status: 200,
        bytes: 370,
        referer: String.raw`a\x22 200 \x22b`,
        agent: String.raw`\x22\x5C\x09\xE9`,
        name: 'identifier',
      }),
    );
  });

  await t.test('nor can an identifier', async () => {
    await ask({ port, host: 'odd.test' });
    const name = String.raw`a \x22name\x22\x5C \xE2\x98\x83`;
    await router.line(whole({ request: 'GET / HTTP/1.1', status: 200, bytes: 370, name }));
  });

  await t.test('the client is who a trusted proxy says it is', async () => {
    await ask({ port, path: '/for', headers: { 'X-Forwarded-For': '2001:db8::1' } });
    const line = { request: 'GET /for HTTP/1.1', status: 200, bytes: 370, name: 'identifier', ip: '2001:db8::1' };
    await router.line(whole(line));
  });

  await t.test('errors: with the identifier where one was found', async () => {
    const unknown = await ask({ port, host: 'unknown.test', path: '/unknown' });
    const refused = await ask({ port, host: 'refused.test', path: '/refused' });
    const line = { request: 'GET /unknown HTTP/1.1', status: 400, bytes: unknown.body.length, name: '-' };
    await router.line(whole(line));
    const bytes = refused.body.length;
    await router.line(whole({ request: 'GET /refused HTTP/1.1', status: 502, bytes, name: 'refused' }));
  });

  await t.test('pings have no line, as in Hipache', async () => {
    for (const method of ['GET', 'HEAD', 'POST']) await ask({ port, host: '__ping__', path: '/ping', method });
    await ask({ port, host: 'unknown.test', path: '/after-pings' });
    await router.line(/\/after-pings/);
    assert.deepEqual(
      router.lines.filter((line) => line.includes('/ping ')),
      [],
    );
  });

  await t.test('a ping that is refused has one', async () => {
    await send(port, 'GET /odd-ping HTTP/1.1\r\nHost: __ping__\r\nHost: __ping__\r\nConnection: close\r\n\r\n');
    assert.match(await router.line(/\/odd-ping/), /" 400 /);
  });

  await t.test('bytes that are no request', async () => {
    const answer = await send(port, 'GET /no "request"\u0001\r\n\r\n');
    const bytes = answer.length - answer.indexOf('\r\n\r\n') - 4;
    const line = await router.line(/no \\x22request\\x22/);
    assert.match(line, /^::ffff:127\.0\.0\.1 - - /);
    assert.match(line, new RegExp(`" 400 (?:${bytes}|${answer.length}) "-" "-" "-" 0\\.000 0\\.000$`));
  });

  await t.test('a client that left before it was answered is 499, as nginx has it', async () => {
    const connected = once(silent.server, 'connection');
    const out = request({ port, host: '127.0.0.1', path: '/left', headers: { host: 'silent.test' } }).on(
      'error',
      () => {},
    );
    out.end();
    await connected;
    out.destroy();
    await router.line(whole({ request: 'GET /left HTTP/1.1', status: 499, bytes: 0, name: 'silent' }));
  });

  await t.test('a client that left within an answer has the bytes it got', async () => {
    const socket = await dial(port);
    socket.write('GET /within HTTP/1.1\r\nHost: endless.test\r\n\r\n');
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.includes('begun')) break;
    }
    socket.destroy();
    await router.line(whole({ request: 'GET /within HTTP/1.1', status: 200, bytes: 5, name: 'endless' }));
  });

  await t.test('an answer that broke off has the bytes that went through', async () => {
    await assert.rejects(ask({ port, host: 'cut.test', path: '/cut' }));
    await router.line(whole({ request: 'GET /cut HTTP/1.1', status: 200, bytes: '[0-4]', name: 'cut' }));
  });

  await t.test('a WebSocket, once it has closed: with 101 and the bytes from the backend', async () => {
    const client = new WebSocket(`ws://127.0.0.1:${port}/socket`, { headers: { Host: 'socket.test' } });
    await once(client, 'open');
    client.send('x'.repeat(100));
    await once(client, 'message');
    client.close();
    await once(client, 'close');
    // A frame of 100 bytes and its head of 2; and the frame that closes, which echoes no code.
    const line = await router.line(/"GET \/socket HTTP\/1\.1" 101 /);
    assert.match(line, whole({ request: 'GET /socket HTTP/1.1', status: 101, bytes: '10[4-9]', name: 'sockets' }));
  });

  await t.test('none makes two lines', () => {
    const paths = router.lines
      .map((line) => / (\/[a-z]+(?:\/[0-9])?) HTTP/.exec(line)?.[1])
      .filter((path) => path !== undefined);
    assert.deepEqual(paths.length, new Set(paths).size);
  });
});

test('the times are seconds, of the whole request and of its backend', async (t) => {
  const slow = await startBackend(t, (_request, response) => setTimeout(() => response.end('ok'), 200));
  const router = await startRouter(t, { routes: { 'site.test': ['site', slow.url] } });
  const socket = await dial(router.port);
  socket.write('POST / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
  await once(socket.resume(), 'close');
  await ask({ port: router.port, host: 'unknown.test' });
  const [, total, backend] = / ([0-9.]+) ([0-9.]+)$/.exec(await router.line(/"POST/)) ?? [];
  assert.ok(Number(backend) >= 0.195 && Number(backend) < 5, backend);
  assert.ok(Number(total) >= Number(backend), `${total} ${backend}`);
  assert.match(await router.line(/"GET/), / [0-9]\.[0-9]{3} 0\.000$/);
});

test('a chosen format is that of every line: of answers, refusals, and what was no request', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('hello'));
  const accessLogFormat = '{host} {backend} {site} {status} "{request}"';
  const routes = { 'site.test': ['site', backend.url] };
  const router = await startRouter(t, { routes, server: { accessLogFormat } });
  const { port } = router;
  await ask({ port, path: '/a' });
  await ask({ port, host: 'nobody.test', path: '/b' });
  await send(port, 'no request at all\r\n\r\n');
  const lines = [await router.line(/\/a/), await router.line(/\/b/), await router.line(/at all/)];
  assert.deepEqual(lines, [
    `site.test ${backend.url} site 200 "GET /a HTTP/1.1"`,
    'nobody.test - - 400 "GET /b HTTP/1.1"',
    '- - - 400 "no request at all"',
  ]);
});
