/** When a request goes to another backend, and when it must not. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { refusingUrl, says, startBackend, startRawBackend } from '../support/backends.ts';
import { ask, dial, send } from '../support/client.ts';
import { assertNobodyDied, deathsOf } from '../support/deaths.ts';
import { startRouter } from '../support/router.ts';

/** Backends that hang up once a request came, and how many requests came to each. */
async function startCutters(t: TestContext, count: number, answer = ''): Promise<{ urls: string[]; hits: number[] }> {
  const hits: number[] = [];
  const urls: string[] = [];
  for (let i = 0; i < count; i++) {
    hits.push(0);
    const { url } = await startRawBackend(t, (socket) => {
      socket.once('data', () => {
        hits[i] = (hits[i] ?? 0) + 1;
        if (answer === '') socket.destroy();
        else socket.end(answer);
      });
    });
    urls.push(url);
  }
  return { urls, hits };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
const digest = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

test('a request is tried again where that is safe, as often as it may be', async (t) => {
  const refusing: string[] = [];
  for (let i = 0; i < 6; i++) refusing.push(refusingUrl());
  const good = await startBackend(t, says('good'));
  const digesting = await startBackend(t, (incoming, response) => {
    const hash = createHash('sha256');
    incoming.on('data', (chunk: Buffer) => hash.update(chunk));
    incoming.on('end', () => response.end(`${incoming.headers['content-length'] ?? 'chunked'} ${hash.digest('hex')}`));
  });
  const four = await startCutters(t, 4);
  const three = await startCutters(t, 3);
  const half = await startCutters(t, 3, 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
  const failing = await startCutters(t, 3, 'HTTP/1.1 502 Bad\r\nContent-Length: 2\r\n\r\nno');
  const router = await startRouter(t, {
    routes: {
      '*.control.test': ['control', ...refusing.slice(0, 1), good.url],
      'six.test': ['six', ...refusing],
      'two.test': ['two', ...refusing.slice(0, 2)],
      'four.test': ['four', ...four.urls],
      '*.whole.test': ['whole', ...refusing.slice(0, 3), digesting.url],
      '*.safe.test': ['safe', ...three.urls, good.url],
      '*.unsafe.test': ['unsafe', ...three.urls],
      'half.test': ['half', ...half.urls],
      'failing.test': ['failing', ...failing.urls],
    },
  });
  const { port } = router;

  await t.test('retryOnError 3 makes four attempts, each on another backend', async () => {
    assert.equal((await ask({ port, host: 'six.test' })).status, 502);
    await assertNobodyDied(router, 'nobody.test', 'a.control.test');
    const ids = deathsOf(router, 'six.test').map(({ id }) => id);
    assert.equal(ids.length, 4);
    assert.equal(new Set(ids).size, 4);
  });

  await t.test('no backend is tried twice: with two there are two attempts', async () => {
    assert.equal((await ask({ port, host: 'two.test' })).status, 502);
    await assertNobodyDied(router, 'nobody.test', 'b.control.test');
    const last = await router.event('last-backend');
    assert.deepEqual(new Set([...deathsOf(router, 'two.test'), last].map(({ id }) => id)), new Set([0, 1]));
  });

  await t.test('a GET that was lost goes round, once to each', async () => {
    assert.equal((await ask({ port, host: 'four.test' })).status, 502);
    assert.deepEqual(four.hits, [1, 1, 1, 1]);
  });

  const BIG = Buffer.alloc(5 * 1_024 * 1_024, 'the quick brown fox jumps over the lazy dog ');
  const BODIES: readonly (readonly [string, Buffer, boolean])[] = [
    ['a POST of a few bytes', Buffer.from('a=1&b=2'), false],
    ['a POST of 5 MB', BIG, false],
    ['a POST of 5 MB in chunks', BIG, true],
    ['an empty POST', Buffer.alloc(0), false],
  ];
  for (const [at, [what, body, isChunked]] of BODIES.entries()) {
    await t.test(`${what} that one backend refused reaches the next, whole`, async () => {
      const wasRefused = (): boolean =>
        router.log.some(
          ({ event, frontend }) =>
            event === 'backend-dead' &&
            String(frontend).startsWith(`${at}-`) &&
            String(frontend).endsWith('.whole.test'),
        );
      // Every host that the wildcard matches has dead marks of its own, so each round starts afresh.
      for (let round = 0; round < 60 && !wasRefused(); round++) {
        const host = `${at}-${round}.whole.test`;
        const headers = isChunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(body.length) };
        const answer = await ask({ port, host, method: 'POST', headers, body });
        assert.deepEqual([answer.status, answer.body], [200, `${isChunked ? 'chunked' : body.length} ${digest(body)}`]);
      }
      await router.until('backend that refused', wasRefused);
    });
  }

  await t.test('a body that comes slowly is not lost either', async () => {
    const begun = once(digesting.server, 'request');
    const socket = await dial(port);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.write(
      'PUT / HTTP/1.1\r\nHost: slow.whole.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n',
    );
    await begun;
    socket.write('3\r\ntwo\r\n0\r\n\r\n');
    await once(socket, 'close');
    assert.match(text, new RegExp(`^HTTP/1\\.1 200 OK\\r\\n[\\s\\S]*chunked ${digest(Buffer.from('onetwo'))}`));
  });

  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']) {
    await t.test(`a ${method} without a body that was lost on its way is sent again`, async () => {
      for (let i = 0; i < 4; i++) {
        const { status } = await ask({ port, host: `${i}-${method}.safe.test`.toLowerCase(), method });
        assert.equal(status, 200);
      }
    });
  }

  for (const [method, body] of [
    ['POST', ''],
    ['POST', 'body'],
    ['PATCH', 'body'],
    ['PUT', 'body'],
    ['DELETE', 'body'],
    ['BREW', ''],
  ] as const) {
    await t.test(`a ${method} ${body && 'with a body '}that was lost on its way is not sent twice`, async () => {
      const before = sum(three.hits);
      const text = await send(
        port,
        `${method} / HTTP/1.1\r\nHost: ${method}${body}.unsafe.test\r\nConnection: close\r\n` +
          `Content-Length: ${body.length}\r\n\r\n${body}`,
      );
      // Without the fast lane Node's parser reads it, which has a list of methods.
      const isForwarded = method !== 'BREW' || process.env['HIPACHE_FAST_LANE'] !== 'off';
      assert.match(text, isForwarded ? /^HTTP\/1\.1 502 / : /^HTTP\/1\.1 501 /);
      assert.equal(sum(three.hits) - before, isForwarded ? 1 : 0);
    });
  }

  await t.test('an answer that breaks off is not begun anew: the client sees that it is not whole', async () => {
    const cut = await new Promise<string>((resolve, reject) => {
      const out = request({ port, host: '127.0.0.1', headers: { host: 'half.test' } }, (answer) => {
        answer.on('data', () => {});
        answer.once('end', () => reject(new Error('it looked whole')));
        answer.once('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
      });
      out.once('error', reject);
      out.end();
    });
    assert.equal(cut, 'ECONNRESET');
    assert.equal(sum(half.hits), 1);
  });

  await t.test('an answer is an answer: a 502 of a backend’s own is not tried elsewhere', async () => {
    const { status, body } = await ask({ port, host: 'failing.test' });
    assert.deepEqual([status, body, sum(failing.hits)], [502, 'no', 1]);
  });
});

test('retryOnError 0 makes one attempt', async (t) => {
  const { urls, hits } = await startCutters(t, 2);
  const router = await startRouter(t, { routes: { 'site.test': ['site', ...urls] }, server: { retryOnError: 0 } });
  assert.equal((await ask({ port: router.port })).status, 502);
  assert.equal(sum(hits), 1);
});
