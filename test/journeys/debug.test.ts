/** What a client learns that sends X-Debug. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { version } from '../../lib/core/version.ts';
import { says, startBackend } from '../support/backends.ts';
import { type Answer, ask } from '../support/client.ts';
import { startRouter } from '../support/router.ts';

function debugFieldsOf({ headers }: Answer): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-debug')));
}

test('a client that debugs is told which way its request took; others are told nothing', async (t) => {
  const { url } = await startBackend(t, (_request, response) => setTimeout(() => response.end('ok'), 30));
  const odd = await startBackend(t, says('no', 503, { 'Retry-After': '1' }));
  const { port } = await startRouter(t, {
    routes: {
      '*.site.test': ['my site', `${url}/ignored`],
      'odd.test': ['caf\u00e9\r\n', 'no url', odd.url],
      'bare.test': ['bare'],
    },
  });

  await t.test('an answer carries all of Hipache’s fields', async () => {
    const {
      'x-debug-time-total': total,
      'x-debug-time-backend': backend,
      ...rest
    } = debugFieldsOf(await ask({ port, host: 'www.site.test', headers: { 'X-Debug': '1' } }));
    assert.deepEqual(rest, {
      'x-debug-version-hipache': version,
      'x-debug-backend-url': url,
      'x-debug-backend-id': '0',
      'x-debug-vhost': 'my site',
      'x-debug-frontend-key': 'www.site.test',
    });
    for (const ms of [total, backend]) assert.match(String(ms), /^[0-9]+$/);
    assert.ok(Number(backend) >= 25 && Number(total) >= Number(backend), `${String(total)} ${String(backend)}`);
  });

  await t.test('the id is the place in the list, and a name that no header may hold is made printable', async () => {
    const fields = debugFieldsOf(await ask({ port, host: 'odd.test', headers: { 'x-debug': '' } }));
    assert.deepEqual([fields['x-debug-backend-id'], fields['x-debug-vhost']], ['1', 'caf???']);
  });

  await t.test('an error says what is known by then, and why', async () => {
    const headers = { 'X-Debug': '1' };
    const { 'x-debug-time-total': _, ...early } = debugFieldsOf(await ask({ port, host: 'unknown.test', headers }));
    assert.deepEqual(early, { 'x-debug-version-hipache': version, 'x-debug-error': 'frontend not found' });
    const { 'x-debug-time-total': __, ...later } = debugFieldsOf(await ask({ port, host: 'bare.test', headers }));
    assert.deepEqual(later, {
      'x-debug-version-hipache': version,
      'x-debug-vhost': 'bare',
      'x-debug-frontend-key': 'bare.test',
      'x-debug-error': 'Cannot find a valid backend: the list holds an identifier only',
    });
  });

  await t.test('nobody else is told', async () => {
    for (const host of ['www.site.test', 'unknown.test'])
      assert.deepEqual(debugFieldsOf(await ask({ port, host })), {});
  });
});
