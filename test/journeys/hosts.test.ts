/** The Host header: how it may be written, and what is no host. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { says, startBackend } from '../support/backends.ts';
import { ask, send } from '../support/client.ts';
import { startRouter } from '../support/router.ts';

/** The status of the answer to a request with these header lines, byte for byte, and its body. */
async function raw(port: number, lines: string, path = '/'): Promise<{ status: number; body: string }> {
  const text = await send(port, `GET ${path} HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`);
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  return { status: Number(text.slice(9, 12)), body };
}

test('a frontend is found however its host is written, and what is no host is refused', async (t) => {
  const urls: Record<string, string> = {};
  for (const name of ['site', 'six', 'proto', 'rest']) {
    urls[name] = (await startBackend(t, says(name, 200, { Connection: 'close', 'Content-Length': name.length }))).url;
  }
  const { port } = await startRouter(t, {
    routes: {
      'www.site.test': ['site', String(urls['site'])],
      '::1': ['six', String(urls['six'])],
      ['__proto__']: ['proto', String(urls['proto'])],
      '*.any.test': ['rest', String(urls['rest'])],
    },
  });

  const FOUND: readonly (readonly [host: string, site: string])[] = [
    ['www.site.test', 'site'],
    ['www.site.test:8080', 'site'],
    ['www.site.test:', 'site'],
    ['WWW.Site.TEST', 'site'],
    ['WWW.Site.TEST:80', 'site'],
    ['www.site.test.', 'site'],
    ['www.site.test.:80', 'site'],
    ['[::1]', 'six'],
    ['[::1]:80', 'six'],
    ['__proto__', 'proto'],
    ['__PROTO__:80', 'proto'],
    ['__proto__.any.test', 'rest'],
    [`${'x'.repeat(200)}.any.test`, 'rest'],
  ];
  for (const [host, site] of FOUND) {
    await t.test(`Host: ${host} is ${site}`, async () => {
      assert.deepEqual(await raw(port, `Host: ${host}\r\n`), { status: 200, body: site });
    });
  }

  const REFUSED = [
    '',
    ' ',
    'a b',
    'a,b',
    'x@www.site.test',
    'www.site.test/x',
    'a;b',
    '*',
    '*.any.test',
    ':80',
    '[::1',
  ];
  for (const host of [...REFUSED, 'caf\u00e9.test', 'x'.repeat(256), 'www.site.test:80:80', '[x]', '..%2f']) {
    await t.test(`Host: ${JSON.stringify(host).slice(0, 40)} is refused`, async () => {
      const { status, body } = await raw(port, `Host: ${host}\r\n`);
      assert.equal(status, 400);
      assert.match(body, /<html/);
    });
  }

  for (const host of [
    'constructor',
    'hasOwnProperty',
    'toString',
    '.',
    '..',
    '...',
    '-',
    '_',
    '127.0.0.1',
    'x'.repeat(255),
  ]) {
    await t.test(`Host: ${host.slice(0, 40)} is nobody’s`, async () => {
      assert.equal((await raw(port, `Host: ${host}\r\n`)).status, 400);
    });
  }

  await t.test('without a Host there is nowhere to go', async () => assert.equal((await raw(port, '')).status, 400));

  await t.test('two Hosts are refused, equal ones too', async () => {
    const line = 'Host: www.site.test\r\n';
    assert.equal((await raw(port, line + line)).status, 400);
  });

  for (const path of ['/', '/any/path?x=1', '/../%00']) {
    await t.test(`__ping__ is answered with ok for ${path}`, async () => {
      const { status, headers, body } = await ask({ port, host: '__ping__', path });
      assert.deepEqual([status, headers['content-type'], body], [200, 'text/plain', 'ok']);
    });
  }

  await t.test('__ping__ is answered to HEAD and POST alike', async () => {
    const head = await ask({ port, host: '__ping__', method: 'HEAD' });
    assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '2', '']);
    assert.equal((await ask({ port, host: '__ping__', method: 'POST', body: 'x' })).body, 'ok');
  });

  await t.test('what only resembles __ping__ is looked up', async () => {
    for (const host of ['ping', '__ping__.test', '__ping_'])
      assert.equal((await ask({ port, host })).status, 400, host);
  });
});
