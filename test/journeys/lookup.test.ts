/** Which list a host's requests go by: the exact one, wildcards from the longest, then `*`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { type Router } from '../support/router.ts';

/** The first element of each list is its key, so that the debug headers tell which one was taken. */
async function keyOf({ port }: Router, host: string): Promise<string> {
  const { status, headers } = await ask({ port, host, headers: { 'X-Debug': '1' } });
  return status === 200 ? String(headers['x-debug-vhost']) : String(status);
}

test('the exact host comes first, then wildcards from five labels down, then *', async (t) => {
  const { url } = await startBackend(t, says('ok'));
  const named = [
    'www.site.test',
    '*.site.test',
    '*.deep.site.test',
    '*.5.4.3.2.1',
    '*.6.5.4.3.2.1',
    '*.2.1',
    '*.com',
    '*',
  ];
  const routes = Object.fromEntries(named.map((key) => [key, [key, url]]));
  const router = await leaseRouter(t, { routes });

  const FOUND: readonly (readonly [host: string, key: string])[] = [
    ['www.site.test', 'www.site.test'],
    ['other.site.test', '*.site.test'],
    ['a.b.site.test', '*.site.test'],
    ['www.deep.site.test', '*.deep.site.test'],
    ['x.www.deep.site.test', '*.deep.site.test'],
    ['deep.site.test', '*.site.test'],
    ['site.test', '*'],
    ['example.com', '*.com'],
    ['com', '*'],
    ['7.6.5.4.3.2.1', '*.5.4.3.2.1'],
    ['6.5.4.3.2.1', '*.5.4.3.2.1'],
    ['5.4.3.2.1', '*.2.1'],
    ['9.9.2.1', '*.2.1'],
    ['127.0.0.1', '*'],
    ['[::1]', '*'],
  ];
  for (const [host, key] of FOUND) {
    await t.test(`${host} goes by ${key}`, async () => assert.equal(await keyOf(router, host), key));
  }
});

test('a list without backends is passed over for one that has some; without * other hosts have no frontend', async (t) => {
  const { url } = await startBackend(t, says('ok'));
  const routes = {
    'www.site.test': ['bare'],
    '*.site.test': ['bare too'],
    '*.test': ['found', url],
    'www.bare.io': ['bare'],
  };
  const router = await leaseRouter(t, { routes });
  assert.equal(await keyOf(router, 'www.site.test'), 'found');
  assert.equal(await keyOf(router, 'www.bare.io'), '502');
  for (const host of ['www.else.io', 'test', 'www.test.io', 'xtest'])
    assert.equal(await keyOf(router, host), '400', host);
});
