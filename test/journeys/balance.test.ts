/** `balance` of `options:<key>`: how a backend is chosen, for backends of every kind. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { after, test, type TestContext } from 'node:test';
import type { RequestTraits } from '../../lib/core/routing/types.ts';
import { refusingUrl, startBackend } from '../support/backends.ts';
import { routeWith, Scene } from '../support/balancing.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { startRouter } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

const owner = { after } as unknown as TestContext;
const HASHES = ['hash:ip', 'hash:path', 'hash:header:X-User', 'hash:cookie:user'] as const;

/** Requests for `/hold`, which wait. */
const held: ServerResponse[] = [];
/** Backends that say their number. */
const numbered = await Promise.all(
  Array.from({ length: 3 }, (_, i) =>
    startBackend(owner, (request, response) => {
      request.resume();
      if (request.url === '/hold') held.push(response);
      else response.end(String(i));
    }),
  ),
);
const slow = await startBackend(owner, (request, response) => {
  request.resume();
  setTimeout(() => response.end('slow'), 2_000);
});
const http2 = await Promise.all(
  Array.from({ length: 3 }, (_, i) =>
    startHttp2Backend(owner, (stream) => {
      stream.respond({ ':status': 200 });
      stream.end(String(i));
    }),
  ),
);
const sockets = await Promise.all(Array.from({ length: 3 }, () => startWebSocketBackend(owner)));

const urls = numbered.map(({ url }) => url);
const [first = '', second = ''] = urls;
const LISTS: readonly (readonly [host: string, urls: readonly string[], balance: string])[] = [
  ['turns.test', urls, 'roundrobin'],
  ['h2-turns.test', http2.map(({ url }) => url), 'roundrobin'],
  ['h2-hash.test', http2.map(({ url }) => url), 'hash:ip'],
  ['p2c.test', [first, second], 'p2c'],
  ['leastconn.test', [first, second], 'leastconn'],
  ['latency.test', [slow.url, first], 'latency'],
  ['broken.test', [first, refusingUrl(), second], 'hash:ip'],
  ['sockets.test', sockets.map(({ url }) => url), 'hash:ip'],
  ['weights.test', urls, 'roundrobin'],
  ['drained.test', urls, 'random'],
  ['zone.test', urls, 'p2c'],
  ['backup.test', [refusingUrl(), first], 'leastconn'],
  ...HASHES.map((balance, i) => [`hash${i}.test`, urls, balance] as const),
];
const router = await startRouter(owner, {
  server: { zone: 'eu-2' },
  routes: {
    ...Object.fromEntries(
      LISTS.flatMap(([host, list, balance]) => [
        [host, ['site', ...list]],
        [`options:${host}`, { balance }],
      ]),
    ),
    'weights:weights.test': { [first]: 400, [second]: 'backup' },
    'weights:drained.test': { [first]: 0, [second]: '0 eu-1' },
    'weights:zone.test': { [first]: '100 eu-1', [second]: '100 eu-2' },
    'weights:backup.test': { [first]: 'backup' },
  },
});

async function askTimes(host: string, times: number, headers = {}, path = '/'): Promise<readonly string[]> {
  const bodies: string[] = [];
  for (let i = 0; i < times; i++) bodies.push((await ask({ port: router.port, host, headers, path })).body);
  return bodies;
}

const addressOf = (i: number): string => `192.0.2.${i + 1}`;
const from = (i: number) => ({ 'X-Forwarded-For': addressOf(i) });

/** The backend that the rule alone chooses. */
function chosenBy(list: readonly string[], balance: string, traits: Partial<RequestTraits>): string {
  return String(new Scene().choose(routeWith(list, { balance }), traits));
}

for (const host of ['turns.test', 'h2-turns.test']) {
  test(`roundrobin gives each backend its turn: ${host}`, async () => {
    const bodies = await askTimes(host, 9);
    for (let i = 0; i < 9; i += 3) assert.deepEqual(new Set(bodies.slice(i, i + 3)), new Set(['0', '1', '2']));
  });
}

for (const balance of ['p2c', 'leastconn']) {
  test(`${balance} leaves a busy backend alone`, async () => {
    const host = `${balance}.test`;
    const waiting = ask({ port: router.port, host, path: '/hold' });
    await eventually(() => assert.equal(held.length, 1));
    assert.equal(new Set(await askTimes(host, 12)).size, 1);
    held.pop()?.end('held');
    assert.equal((await waiting).body, 'held');
    await eventually(async () => assert.equal(new Set(await askTimes(host, 12)).size, 2));
  });
}

test('latency leaves a slow backend alone', async () => {
  await eventually(async () => assert.deepEqual(await askTimes('latency.test', 1), ['slow']));
  // A machine that stands still for longer makes the fast one slow, until that is forgotten.
  await eventually(async () => assert.deepEqual(new Set(await askTimes('latency.test', 8)), new Set(['0'])));
});

for (const [n, traitsOf] of [
  (i: number) => ({ headers: from(i), path: '/', traits: { clientIp: addressOf(i) } }),
  (i: number) => ({ headers: {}, path: `/${i}?q`, traits: { path: `/${i}` } }),
  (i: number) => ({ headers: { 'x-user': `u${i}` }, path: '/', traits: { affinity: `u${i}` } }),
  (i: number) => ({ headers: { Cookie: `user2=x; user=u${i}; a=b` }, path: '/', traits: { affinity: `u${i}` } }),
].entries()) {
  const balance = HASHES[n] ?? '';
  test(`${balance} sends requests with the same key to the same backend`, async () => {
    const homes = new Set<string>();
    for (let i = 0; i < 12; i++) {
      const { headers, path, traits } = traitsOf(i);
      const home = chosenBy(urls, balance, traits);
      assert.deepEqual(await askTimes(`hash${n}.test`, 2, headers, path), [home, home]);
      homes.add(home);
    }
    assert.ok(homes.size > 1);
  });
}

test('requests are in proportion to the weights', async () => {
  const bodies = await askTimes('weights.test', 10);
  assert.deepEqual(bodies.toSorted(), [...Array<string>(8).fill('0'), '2', '2']);
});

test('a backend that is drained gets no request', async () => {
  assert.deepEqual(new Set(await askTimes('drained.test', 10)), new Set(['2']));
});

test('a router prefers backends of its own zone', async () => {
  assert.deepEqual(new Set(await askTimes('zone.test', 10)), new Set(['1']));
});

test('a backup gets the requests when the others are dead', async () => {
  assert.deepEqual(new Set(await askTimes('backup.test', 5)), new Set(['0']));
});

test('requests with a hash go to the same of several HTTP/2 backends', async () => {
  for (let i = 0; i < 8; i++) {
    const home = chosenBy(
      http2.map(({ url }) => url),
      'hash:ip',
      { clientIp: addressOf(i) },
    );
    assert.deepEqual(await askTimes('h2-hash.test', 2, from(i)), [home, home]);
  }
});

test('a retry takes the next best backend of the hash', async () => {
  for (let i = 0; i < 12; i++) {
    const home = chosenBy([first, second], 'hash:ip', { clientIp: addressOf(i) });
    assert.deepEqual(await askTimes('broken.test', 1, from(i)), [home]);
  }
});

test('a client’s WebSockets go to the same backend', async (t) => {
  const opened: number[] = [];
  for (const [i, backend] of sockets.entries()) {
    const listen = (): unknown => backend.opened().then(() => (opened.push(i), listen()));
    listen();
  }
  const wanted: string[] = [];
  for (let i = 0; i < 6; i++) {
    const home = chosenBy(
      sockets.map(({ url }) => url),
      'hash:ip',
      { clientIp: addressOf(i) },
    );
    for (let again = 0; again < 2; again++) {
      const socket = openWebSocket(t, `ws://127.0.0.1:${router.port}/`, 'sockets.test', { headers: from(i) });
      await once(socket, 'open');
      wanted.push(home);
    }
  }
  await eventually(() => assert.deepEqual(opened.map(String), wanted));
  assert.ok(new Set(wanted).size > 1);
});
