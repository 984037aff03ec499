/** Events by way of the admin interface, as they come. */
// @waits: for events by the clock
// @one-lane: the admin interface is a process of its own
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { type ClientOptions, WebSocket } from 'ws';
import { adminOf, askAdmin } from '../support/admin.ts';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startRouter, writeConfig } from '../support/router.ts';

const NOBODY = 'http://127.0.0.1:1';

type Event = Readonly<Record<string, unknown>>;

/** A client that keeps what it hears. */
function listen(t: TestContext, port: number, protocols: readonly string[] = [], options: ClientOptions = {}) {
  const client = new WebSocket(`ws://127.0.0.1:${port}/api/v1/events`, [...protocols], options);
  const heard: Event[] = [];
  client.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString()) as Event));
  client.on('error', () => {});
  t.after(() => client.terminate());
  return { client, heard };
}

/** As a subprotocol. */
function token(text: string): string {
  return `hipache.token.${Buffer.from(text).toString('base64url')}`;
}

async function portOf(router: Parameters<typeof adminOf>[0]): Promise<number> {
  const address = await adminOf(router);
  assert.ok('port' in address);
  return address.port;
}

test('who listens hears what was, and what comes: deaths, reloads, workers that die', async (t) => {
  const good = await startBackend(t, says('good'));
  const routes = { 'a.test': ['site', NOBODY, good.url] };
  const config = { admin: { port: 0 } };
  const router = await startRouter(t, { routes, config });
  const port = await portOf(router);
  const { heard } = listen(t, port);
  const hears = (event: string, from = 0): Promise<Event> =>
    eventually(() => {
      const found = heard.slice(from).find((each) => each['event'] === event);
      assert.ok(found, event);
      return found;
    }, 20_000);
  assert.equal((await hears('ready'))['level'], 'info');
  while (!heard.some(({ event }) => event === 'backend-dead')) await ask({ port: router.port, host: 'a.test' });
  const death = await hears('backend-dead');
  assert.deepEqual([death['frontend'], death['backend'], death['id']], ['a.test', NOBODY, 0]);
  const { pid } = await hears('backend-dead');
  process.kill(Number(pid), 'SIGKILL');
  assert.equal((await hears('worker-died'))['worker'], pid);
  writeConfig(router.folder, { routes, config, server: { workers: 2 } });
  router.signal('SIGHUP');
  assert.equal((await hears('reloaded'))['workers'], 2);
  const { json } = await askAdmin({ port }, '/api/v1/events');
  const { events } = json as { readonly events: readonly Event[] };
  const names = new Set(events.map(({ event }) => event));
  for (const name of ['ready', 'admin-ready', 'backend-dead', 'worker-died', 'reloaded'])
    assert.ok(names.has(name), name);
  const own = router.log.find(({ event }) => event === 'backend-dead');
  assert.deepEqual(
    events.find(({ event }) => event === 'backend-dead'),
    own,
  );
});

test('a browser brings its token as a subprotocol, and a page of another site gets nothing', async (t) => {
  const router = await startRouter(t, { routes: {}, config: { admin: { port: 0, token: 'secret' } } });
  const port = await portOf(router);
  const { client, heard } = listen(t, port, ['hipache.events', token('secret')]);
  await once(client, 'open');
  assert.equal(client.protocol, 'hipache.events');
  await eventually(() => assert.ok(heard.length > 0));
  for (const [protocols, options, status] of [
    [[], {}, 401],
    [['hipache.events', token('wrong')], {}, 401],
    [['hipache.events', token('secret')], { origin: 'http://evil.test' }, 403],
  ] as const) {
    const refused = listen(t, port, protocols, options).client;
    const [, response] = (await once(refused, 'unexpected-response')) as [unknown, { readonly statusCode: number }];
    assert.equal(response.statusCode, status);
  }
  const own = listen(t, port, [], { headers: { authorization: 'Bearer secret' } }).client;
  await once(own, 'open');
});

test('only the last 200 are kept, and who sends something is let go', async (t) => {
  const routes = Object.fromEntries(
    Array.from({ length: 300 }, (_, n) => [`UPPER${n}.test`, ['site', NOBODY]] as const),
  );
  const router = await startRouter(t, { routes, config: { admin: { port: 0 } } });
  const port = await portOf(router);
  await router.event('suppressed');
  const { json } = await askAdmin({ port }, '/api/v1/events');
  assert.ok((json as { readonly events: readonly Event[] }).events.length <= 200);
  const { client } = listen(t, port);
  await once(client, 'open');
  client.send('x'.repeat(10_000));
  await once(client, 'close');
  assert.equal((await askAdmin({ port }, '/healthz')).status, 200);
});
