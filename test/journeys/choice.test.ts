/** Which of a frontend's backends gets a request, and what of its URL counts. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { startRouter } from '../support/router.ts';

test('a backend is chosen by chance, and reached by the host and port of its URL alone', async (t) => {
  const [a, b, c] = [
    await startBackend(t, says('a')),
    await startBackend(t, says('b')),
    await startBackend(t, says('c')),
  ];
  const echo = await startBackend(t, (request, response) => response.end(request.url));
  const router = await startRouter(t, {
    routes: {
      'three.test': ['three', a.url, b.url, c.url],
      'twice.test': ['twice', a.url, b.url, a.url],
      'path.test': ['path', `${echo.url}/base/path?query#fragment`],
      'port.test': ['port', 'http://127.0.0.2', 'http://127.0.0.2'],
    },
  });
  const { port } = router;
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  t.after(() => agent.destroy());

  /** How many of 600 requests each backend answered. */
  async function shares(host: string): Promise<Record<string, number>> {
    const answers = await Promise.all(Array.from({ length: 600 }, () => ask({ port, host, agent })));
    const count: Record<string, number> = { a: 0, b: 0, c: 0 };
    for (const { body } of answers) count[body] = (count[body] ?? 0) + 1;
    return count;
  }

  await t.test('every backend is as likely as the others', async () => {
    const count = await shares('three.test');
    // 200 each, give or take nine times the standard deviation.
    for (const times of Object.values(count)) assert.ok(times > 95 && times < 305, JSON.stringify(count));
  });

  await t.test('a backend that stands twice in the list gets twice as much', async () => {
    const { a: times = 0 } = await shares('twice.test');
    // 400, give or take nine times the standard deviation.
    assert.ok(times > 296 && times < 504, `${times} of 600`);
  });

  await t.test('the path of a backend’s URL is ignored, the request’s is sent as it came', async () => {
    for (const path of ['/', '/x?y=1', '//double/../dots/./%2e%2F?a=b&a=c', '/?', '/caf%C3%A9;v=1', '/a|b{c}"^`\\']) {
      assert.equal((await ask({ port, host: 'path.test', path })).body, path);
    }
  });

  await t.test('a URL without a port means port 80', async (sub) => {
    if ((await ask({ port, host: 'port.test' })).status !== 502) return sub.skip('a program listens on port 80 here');
    const { why } = await router.event('backend-dead');
    assert.match(String(why), /127\.0\.0\.2:80$/);
  });
});
