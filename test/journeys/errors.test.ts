/** What a client sees when the router has to answer itself. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ErrorCode } from '../../lib/core/errors.ts';
import { packagePagesFolder } from '../../lib/config/package.ts';
import { refusingUrl, startRawBackend } from '../support/backends.ts';
import { type Answer, ask, send } from '../support/client.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

const page = (name: string): string => readFileSync(join(packagePagesFolder, `error_${name}.html`), 'latin1');

test('every error has its code and its page, and is never cached', async (t) => {
  const refusing = refusingUrl();
  const silent = await startRawBackend(t, (socket) => socket.resume());
  const cutting = await startRawBackend(t, (socket) => socket.once('data', () => socket.destroy()));
  const garbling = await startRawBackend(t, (socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9\r\n')));
  const { port } = await startRouter(t, {
    routes: {
      'bare.test': ['bare'],
      'invalid.test': ['invalid', 'htp://127.0.0.1', 'no url'],
      'refused.test': ['refused', refusing],
      'dead.test': ['dead', refusing, `${refusing}/`],
      'silent.test': ['silent', silent.url],
      'cut.test': ['cut', cutting.url],
      'garbled.test': ['garbled', garbling.url],
    },
    server: { timeouts: { firstByte: 1 } },
  });
  const ERRORS: readonly (readonly [host: string, status: number, why: string, code: ErrorCode])[] = [
    ['unknown.test', 400, 'frontend not found', 'no-frontend'],
    ['bad host', 400, 'invalid Host header', 'bad-host'],
    ['bare.test', 502, 'Cannot find a valid backend: the list holds an identifier only', 'no-backend'],
    ['dead.test', 502, 'Reached max retries limit', 'backend-failed'],
    ['invalid.test', 502, 'backend is invalid', 'no-backend'],
    ['refused.test', 502, 'Reached max retries limit', 'backend-failed'],
    ['cut.test', 502, 'Reached max retries limit', 'backend-failed'],
    ['garbled.test', 502, 'the response of the backend is not valid HTTP', 'backend-failed'],
    ['silent.test', 504, 'the backend did not respond in time', 'backend-silent'],
  ];
  for (const [host, status, why, code] of ERRORS) {
    await t.test(`${host} is ${status}: ${why}`, async () => {
      const answer = await ask({ port, host });
      assert.deepEqual([answer.status, answer.body], [status, page(String(status))]);
      assert.deepEqual(fieldsOf(answer), {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        pragma: 'no-cache',
        expires: '-1',
        'content-length': String(page(String(status)).length),
        'x-router-error': code,
      });
    });

    await t.test(`${host} to HEAD is the same without a body`, async () => {
      const [get, head] = [await ask({ port, host }), await ask({ port, host, method: 'HEAD' })];
      assert.deepEqual([head.status, head.body], [status, '']);
      assert.deepEqual(fieldsOf(head), fieldsOf(get));
    });

    await t.test(`${host} says why to a client that debugs`, async () => {
      const { headers } = await ask({ port, host, headers: { 'X-Debug': '' } });
      // A head that cannot be read does not say whether its client debugs.
      assert.equal(headers['x-debug-error'], host === 'bad host' ? undefined : why);
    });
  }

  await t.test('without a Host the answer is 400, in HTTP/1.0 too', async () => {
    const text = await send(port, 'GET / HTTP/1.0\r\n\r\n');
    assert.match(text, /^HTTP\/1\.1 400 Bad Request\r\n/);
    assert.ok(text.endsWith(page('400')));
  });

  await t.test('a code without a page of its own gets the default page', async () => {
    const text = await send(port, 'GET / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n');
    assert.match(text, /^HTTP\/1\.1 501 Not Implemented\r\n/);
    assert.ok(text.endsWith(page('default')));
  });

  await t.test('an error leaves a good connection open for the next request', async () => {
    const two =
      'GET / HTTP/1.1\r\nHost: unknown.test\r\n\r\nGET / HTTP/1.1\r\nHost: __ping__\r\nConnection: close\r\n\r\n';
    assert.match(await send(port, two), /^HTTP\/1\.1 400 [\s\S]*HTTP\/1\.1 200 OK\r\n[\s\S]*ok$/);
  });
});

test('the operator’s own pages come first; where they say nothing, the packaged ones do', async (t) => {
  const [some, all] = [temporaryFolder(t), temporaryFolder(t)];
  writeFileSync(join(some, 'error_502.html'), 'our own 502');
  writeFileSync(join(all, 'error_default.html'), 'our own page');
  const routes = { 'bare.test': ['bare'] };
  const first = await startRouter(t, { routes, server: { staticDir: some } });
  const second = await startRouter(t, { routes, server: { staticDir: all } });

  assert.equal((await ask({ port: first.port, host: 'bare.test' })).body, 'our own 502');
  assert.equal((await ask({ port: first.port })).body, page('400'));
  for (const host of ['bare.test', 'unknown.test'])
    assert.equal((await ask({ port: second.port, host })).body, 'our own page');
});

function fieldsOf({ headers }: Answer): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !['date', 'connection', 'keep-alive'].includes(name)),
  );
}
