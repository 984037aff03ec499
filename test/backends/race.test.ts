import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Race } from '../../lib/backends/dialing/race.ts';
import { refusingUrl } from '../support/backends.ts';
import { deferred } from '../support/deferred.ts';

/** What a test wants of an address: to be connected to, at once or when another is tried, to refuse, or to keep silent. */
type Manner = 'takes' | { readonly takesWith: string } | 'refuses' | 'silent';

interface Result {
  readonly winner: string | null;
  readonly cause: Error | null;
  readonly tookMs: number;
}

interface Scene {
  readonly result: Promise<Result>;
  readonly race: Race;
  readonly losers: string[];
  readonly sockets: ReadonlyMap<string, Socket>;
}

async function run(t: TestContext, manners: Readonly<Record<string, Manner>>): Promise<Scene> {
  const server = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const sockets = new Map<string, Socket>();
  t.after(() => {
    for (const socket of sockets.values()) socket.destroy();
  });
  const losers: string[] = [];
  const startedAt = performance.now();
  const { promise: result, resolve: settle } = deferred<Result>();
  const nameOf = (socket: Socket): string | null => [...sockets].find(([, each]) => each === socket)?.[0] ?? null;
  const open = (address: string): Socket => {
    const socket = new Socket();
    sockets.set(address, socket);
    const manner = manners[address];
    if (manner === 'refuses') socket.connect(1, new URL(refusingUrl()).hostname);
    else if (manner === 'takes') socket.connect(port, '127.0.0.1');
    for (const [name, earlier] of sockets) {
      const wish = manners[name];
      if (typeof wish === 'object' && wish.takesWith === address) earlier.connect(port, '127.0.0.1');
    }
    return socket;
  };
  const race = new Race(Object.keys(manners), {
    open,
    onWon: (socket) => settle({ winner: nameOf(socket), cause: null, tookMs: performance.now() - startedAt }),
    onLost: (cause) => settle({ winner: null, cause, tookMs: performance.now() - startedAt }),
    onLoser: (address) => losers.push(address),
  });
  return { result, race, losers, sockets };
}

test('the first address that takes the connection has it, and no other is tried', async (t) => {
  const { result, sockets, losers } = await run(t, { a: 'takes', b: 'takes' });
  assert.equal((await result).winner, 'a');
  assert.deepEqual([sockets.size, losers], [1, []]);
  assert.equal(sockets.get('a')?.listenerCount('error'), 0);
});

test('after a silent one the next is tried within a quarter of a second, and the silent one is let go', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { result, sockets, losers } = await run(t, { a: 'silent', b: 'takes', c: 'takes' });
  t.mock.timers.tick(240);
  assert.equal(sockets.has('b'), false);
  t.mock.timers.tick(10);
  assert.equal((await result).winner, 'b');
  assert.deepEqual([losers, sockets.get('a')?.destroyed, sockets.has('c')], [['a'], true, false]);
});

test('one that is slow goes on while the next ones are tried, and may still win', async (t) => {
  const { result, sockets, losers } = await run(t, { a: { takesWith: 'c' }, b: 'silent', c: 'silent' });
  assert.equal((await result).winner, 'a');
  assert.deepEqual([sockets.get('b')?.destroyed, sockets.get('c')?.destroyed], [true, true]);
  assert.deepEqual(losers, [], 'nobody was outrun by one that began later');
});

test('after one that refuses the next is tried at once', async (t) => {
  const refusing = Array.from({ length: 15 }, (_, i) => `refusing ${i}`);
  const manners = [...refusing.map((address) => [address, 'refuses'] as const), ['last', 'takes'] as const];
  const { result, losers } = await run(t, Object.fromEntries(manners));
  const { winner, tookMs } = await result;
  assert.equal(winner, 'last');
  // Fifteen times a quarter of a second, had it waited.
  assert.ok(tookMs < 3_500, `${tookMs} ms`);
  assert.deepEqual(losers, refusing);
});

test('where none takes it, that is one error which names them all', async (t) => {
  const { result } = await run(t, { a: 'refuses', b: 'refuses' });
  const { cause } = await result;
  assert.equal((cause as NodeJS.ErrnoException).code, 'ECONNREFUSED');
  assert.match(
    cause?.message ?? '',
    /^connect ECONNREFUSED 127\.1\.[0-9.]+:1; connect ECONNREFUSED 127\.1\.[0-9.]+:1$/,
  );
});

test('a name with any number of addresses is tried at 16', async (t) => {
  const all = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`address ${i}`, 'refuses'] as const));
  const { result, sockets } = await run(t, all);
  assert.ok((await result).cause instanceof AggregateError);
  assert.equal(sockets.size, 16);
});

test('one that is called off tells nobody, and leaves nothing behind', async (t) => {
  const { result, race, sockets, losers } = await run(t, { a: 'silent', b: 'silent', c: 'takes' });
  race.cancel();
  race.cancel();
  const winner = await Promise.race([result, new Promise((resolve) => setTimeout(resolve, 600, 'nobody'))]);
  assert.equal(winner, 'nobody');
  assert.deepEqual([[...sockets.values()].map(({ destroyed }) => destroyed), losers], [[true], []]);
});
