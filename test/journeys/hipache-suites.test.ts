/**
 * What Hipache's own functional suites hold it to, by requests to a whole router on a real Redis: two workers, no retries and
 * their time limits, against backends that behave as theirs do. Where the answer differs on purpose, docs/migration.md says so.
 */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test, type TestContext } from 'node:test';
import { refusingUrl, startBackend, startRawBackend } from '../support/backends.ts';
import { ask, send } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { closingBackend, SERVER } from '../support/hipache-suites.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

/** More than chance needs to pick one of two backends. */
const MANY = 40;
/** Of an upload, bytes. */
const UPLOAD = 500_000_001;

test('one router passes what Hipache’s functional suites ask', { timeout: 240_000 }, async (t) => {
  const redis = await startRedis(t);
  const { port } = await routerOn(t, redis);

  for (const [kind, startKind] of [
    ['Node, which closes behind each response', closingBackend],
    ['Python, which answers HEAD and 204 with a body', pythonBackend],
  ] as const) {
    /** Backends with these statuses: one for each list. */
    const provision = async (sub: TestContext, lists: Readonly<Record<string, number>>) => {
      await redis.cli('flushall');
      for (const [host, status] of Object.entries(lists)) {
        await redis.cli('rpush', `frontend:${host}`, host, (await startKind(sub, status)).url);
      }
    };

    await t.test(`a frontend is served to every method (backend by ${kind})`, async (sub) => {
      await provision(sub, { simple: 201 });
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE']) {
        assert.equal((await ask({ port, host: 'simple', method })).status, 201, method);
      }
      for (const method of ['POST', 'PUT']) {
        const headers = { 'transfer-encoding': 'chunked' };
        assert.equal((await ask({ port, host: 'simple', method, headers, body: '{}' })).status, 201, method);
      }
    });

    await t.test(
      `hosts of one label, of two and of thirteen have frontends of their own (backend by ${kind})`,
      async (sub) => {
        const long = 'a.b.c.d.e.f.g.h.i.j.k.l.m';
        const lists = { simple: 201, 'foo.bar': 202, [long]: 203 };
        await provision(sub, lists);
        await assertStatuses(port, { ...lists, 'b.c.d.e.f.g.h.i.j.k.l.m': 400, bar: 400 });
      },
    );

    await t.test(`a wildcard is for names below it, not for its own (backend by ${kind})`, async (sub) => {
      await provision(sub, { '*.foo.bar': 200, '*.quux': 201 });
      await assertStatuses(port, {
        'test.foo.bar': 200,
        'pipo.foo.bar': 200,
        'foo.bar': 400,
        'bar.quux': 201,
        'quux.bar': 400,
        quux: 400,
      });
    });

    await t.test(`the most specific frontend has the request (backend by ${kind})`, async (sub) => {
      await provision(sub, { '*.foo.bar': 200, 'foo.bar': 201, 'pipo.foo.bar': 202, '*.baz.foo.bar': 203 });
      await assertStatuses(port, {
        'test.foo.bar': 200,
        'foo.bar': 201,
        'pipo.foo.bar': 202,
        'qux.baz.foo.bar': 203,
        'qux.bix.foo.bar': 200,
        'qux.bix.bar.foo': 400,
      });
    });

    await t.test(`wildcards reach five labels deep, and no deeper (backend by ${kind})`, async (sub) => {
      await provision(sub, {
        '*.quux': 200,
        '*.qux.quux': 201,
        '*.baz.qux.quux': 202,
        '*.bar.baz.qux.quux': 203,
        'foo.bar.baz.qux.quux': 204,
        '*.foo.bar.baz.qux.quux': 205,
        '*.quuux.foo.bar.baz.qux.quux': 206,
      });
      await assertStatuses(port, {
        'too.deep.quuux.foo.bar.baz.qux.quux': 205,
        'too.deep.foo.bar.baz.qux.quux': 205,
        'foo.bar.baz.qux.quux': 204,
        'bar.bar.baz.qux.quux': 203,
        'foo.baz.qux.quux': 202,
        'foo.qux.quux': 201,
        'foo.quux': 200,
      });
    });

    await t.test(
      `a backend that answers 5xx is seen once, and then the others serve (backend by ${kind})`,
      async (sub) => {
        for (const status of [501, 502, 503]) {
          await redis.cli('flushall');
          const [well, ill] = [await startKind(sub, 201), await startKind(sub, status)];
          await redis.cli('rpush', 'frontend:simple', 'simple', well.url, ill.url);
          await assertOneFailure(port, redis, status);
        }
      },
    );
  }

  await t.test('three backends of a frontend are all asked', async (sub) => {
    await redis.cli('flushall');
    const backends = [await closingBackend(sub, 201), await closingBackend(sub, 202), await closingBackend(sub, 203)];
    await redis.cli('rpush', 'frontend:foobar', 'foobar', ...backends.map(({ url }) => url));
    const seen = new Set<number>();
    for (let i = 0; i < MANY; i++) seen.add((await ask({ port, host: 'foobar' })).status);
    assert.deepEqual(
      [...seen].toSorted((a, b) => a - b),
      [201, 202, 203],
    );
  });

  await t.test('a host that no frontend has gets 400, and so does a frontend that was removed', async (sub) => {
    await redis.cli('flushall');
    assert.equal((await ask({ port, host: 'simple' })).status, 400);
    await redis.cli('rpush', 'frontend:simple', 'simple', (await closingBackend(sub, 201)).url);
    assert.equal((await ask({ port, host: 'simple' })).status, 201);
    await redis.cli('del', 'frontend:simple');
    assert.equal((await ask({ port, host: 'simple' })).status, 400);
  });

  await t.test('a frontend whose sole backend does not listen gets 502', async () => {
    await redis.cli('flushall');
    await redis.cli('rpush', 'frontend:crashed.test', 'crashed', refusingUrl());
    for (let i = 0; i < 3; i++) assert.equal((await ask({ port, host: 'crashed.test' })).status, 502);
  });

  await t.test(
    'a backend that does not listen is seen once where nothing is retried, and never where something is',
    async (sub) => {
      await redis.cli('flushall');
      const well = await closingBackend(sub, 201);
      await redis.cli('rpush', 'frontend:simple', 'simple', well.url, refusingUrl());
      await assertOneFailure(port, redis, 502);
      await redis.cli('del', 'dead:simple', 'marks:simple');
      const again = await routerOn(sub, redis, { retryOnError: 3 });
      for (let i = 0; i < MANY; i++) assert.equal((await ask({ port: again.port, host: 'simple' })).status, 201);
      assert.deepEqual(await redis.cli('smembers', 'dead:simple'), ['1']);
    },
  );

  await t.test('an upload of 500 MB without a length reaches the backend whole', { timeout: 120_000 }, async (sub) => {
    await redis.cli('flushall');
    let received = 0;
    const backend = await startBackend(sub, (incoming, response) => {
      incoming.on('data', (chunk: Buffer) => (received += chunk.length));
      incoming.once('end', () => response.writeHead(201).end('Shoobidouwa\n', () => incoming.socket.destroy()));
    });
    await redis.cli('rpush', 'frontend:simple', 'simple', backend.url);
    assert.equal(await upload(port, UPLOAD), 201);
    assert.equal(received, UPLOAD);
  });

  // Their broken backends end lines by LF alone.
  for (const [lines, eol] of [
    ['CRLF', '\r\n'],
    ['LF', '\n'],
  ] as const) {
    await t.test(
      `a response longer than its Content-Length is cut there, and the router lives (${lines})`,
      async (sub) => {
        await besideBroken(sub, redis, brokenResponse(eol, 2));
        for (let i = 0; i < 3; i++) {
          const { status, body } = await ask({ port, host: 'foobar' });
          assert.deepEqual([status, body], [200, 'te']);
        }
        assert.equal((await ask({ port, host: 'well' })).status, 201);
      },
    );

    await t.test(
      `a response shorter than its Content-Length breaks off for the client, and the router lives (${lines})`,
      async (sub) => {
        await besideBroken(sub, redis, brokenResponse(eol, 4096));
        for (let i = 0; i < 3; i++) await assert.rejects(ask({ port, host: 'foobar' }));
        assert.equal((await ask({ port, host: 'well' })).status, 201);
      },
    );
  }

  await t.test('signs in a target that URLs do not have reach the backend as they were sent', async (sub) => {
    await redis.cli('flushall');
    const asked: string[] = [];
    const backend = await startBackend(sub, (incoming, response) => {
      asked.push(incoming.url ?? '');
      response.end();
    });
    await redis.cli('rpush', 'frontend:foobar', 'foobar', backend.url);
    const answer = await send(port, 'GET /pipo&%$(PIPO HTTP/1.1\r\nHost: foobar\r\nConnection: close\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.deepEqual(asked, ['/pipo&%$(PIPO']);
  });

  // Hipache passed these on. RFC 9112 §2.2, §3.2: what two readers may understand differently is refused.
  for (const [what, bytes] of [
    ['lines without CR', 'GET /pipo&%$(PIPO HTTP/1.1\nHost: foobar\n\n'],
    ['a fragment in its target', 'GET /pipo&%$#(PIPO HTTP/1.1\r\nHost: foobar\r\n\r\n'],
    ['both', 'GET /pipo&%$#(PIPO HTTP/1.1\nHost: foobar\n\n'],
  ] as const) {
    await t.test(`a request with ${what} is refused, and the router lives`, async (sub) => {
      await redis.cli('flushall');
      await redis.cli('rpush', 'frontend:foobar', 'foobar', (await closingBackend(sub, 201)).url);
      assert.match(await send(port, bytes + bytes), /^HTTP\/1\.1 400 /);
      assert.equal((await ask({ port, host: 'foobar' })).status, 201);
    });
  }
});

function routerOn(t: TestContext, redis: TestRedis, server: object = {}) {
  return startRouter(t, { server: { ...SERVER, ...server }, config: { driver: `redis://127.0.0.1:${redis.port}` } });
}

async function assertStatuses(port: number, expected: Readonly<Record<string, number>>) {
  for (const [host, status] of Object.entries(expected)) {
    assert.equal((await ask({ port, host, headers: { 'X-Debug': 'true' } })).status, status, host);
  }
}

/** One request gets the failing backend's status, and those after it are served. */
async function assertOneFailure(port: number, redis: TestRedis, failure: number) {
  let status = 201;
  for (let i = 0; i < MANY && status === 201; i++) ({ status } = await ask({ port, host: 'simple' }));
  assert.equal(status, failure);
  await eventually(async () => assert.deepEqual(await redis.cli('smembers', 'dead:simple'), ['1']));
  for (let i = 0; i < MANY; i++) assert.equal((await ask({ port, host: 'simple' })).status, 201);
}

/** HTTP/1.0 as Python's server has it: a body to each request, HEAD too, and with each status. */
function pythonBackend(t: TestContext, status: number) {
  const body = 'This is a body';
  const head = [
    `HTTP/1.0 ${status} OK`,
    'Server: BaseHTTP/0.3 Python/2.7',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ].join('\r\n');
  return startRawBackend(t, (socket) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      const isWhole = end >= 0 && (!/^transfer-encoding/im.test(text) || text.endsWith('0\r\n\r\n'));
      if (isWhole) socket.end(`${head}\r\n\r\n${body}`);
    });
  });
}

/** A head with this end of its lines, and `test`, whatever length was said. */
function brokenResponse(eol: string, length: number): string {
  return ['HTTP/1.1 200 OK', 'Content-Type: text/plain', `Content-Length: ${length}`, '', 'test'].join(eol);
}

/** A frontend whose backend answers with these bytes and closes, and one that is well. */
async function besideBroken(t: TestContext, redis: TestRedis, response: string) {
  await redis.cli('flushall');
  const broken = await startRawBackend(t, (socket) => socket.once('data', () => socket.end(response)));
  await redis.cli('rpush', 'frontend:foobar', 'foobar', broken.url);
  await redis.cli('rpush', 'frontend:well', 'well', (await closingBackend(t, 201)).url);
}

/** PUTs so many bytes, chunked. @returns the status */
function upload(port: number, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'simple', 'transfer-encoding': 'chunked' };
    const out = request({ port, host: '127.0.0.1', method: 'PUT', headers, agent: false }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
    });
    out.once('error', reject);
    const part = Buffer.alloc(1 << 20, 'x');
    let left = bytes;
    const pump = (): void => {
      while (left > 0) {
        const next = part.subarray(0, Math.min(left, part.length));
        left -= next.length;
        if (!out.write(next)) return;
      }
      out.end();
    };
    out.on('drain', () => {
      if (!out.writableEnded) pump();
    });
    pump();
  });
}
