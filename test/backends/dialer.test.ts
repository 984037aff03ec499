import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type OnReadOpts, type Server, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createServer as createSecureServer, TLSSocket } from 'node:tls';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import type { Backend } from '../../lib/core/routing/types.ts';
import { Dialer } from '../../lib/backends/dialing/dialer.ts';
import type { Dialing } from '../../lib/backends/dialing/dialing.ts';
import { freePort } from '../support/ports.ts';
import { startBlackhole } from '../support/blackhole.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/router.ts';

/** Names with these addresses, always in this order, but for those that were shunned. */
class FewNames {
  readonly shunned: string[] = [];
  readonly #known: Readonly<Record<string, readonly string[]>>;

  constructor(known: Readonly<Record<string, readonly string[]>>) {
    this.#known = known;
  }

  async find(name: string): Promise<readonly string[]> {
    const addresses = this.#known[name];
    if (addresses === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    return addresses.filter((address) => !this.shunned.includes(address)).concat(this.shunned);
  }

  /** Connections that are open: to which address, and what is called when the name leads elsewhere. */
  readonly held = new Map<() => void, string>();

  hold(_name: string, address: string, onMoved: () => void): () => void {
    this.held.set(onMoved, address);
    return () => this.held.delete(onMoved);
  }

  shun(address: string): void {
    this.shunned.push(address);
  }
}

function backendOf(url: string): Backend {
  const parsed = parseBackend(url, 0);
  assert.ok('backend' in parsed);
  return parsed.backend;
}

async function listen(t: TestContext, server: Server, host: string, port = 0): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
  server.listen(port, host);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Resolves when it is connected. */
function dialed(t: TestContext, dialer: Dialer, url: string, onread: OnReadOpts | null = null): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const onSocket = (socket: Socket): void => {
      t.after(() => socket.destroy());
      resolve(socket.on('error', () => {}));
    };
    dialer.dial(backendOf(url), { onSocket, onNoSocket: reject }, onread);
  });
}

function toldOf(): never {
  assert.fail('nobody is to be told');
}

const PLAIN = { verify: true, ca: [] };

test('a connection is made to whichever address takes it, and next time to that one at once', async (t) => {
  const port = await listen(
    t,
    createServer((socket) => socket.end()),
    '127.0.0.2',
    // Another test's server may have any other port at 127.0.0.1.
    await freePort(),
  );
  const names = new FewNames({ 'a.test': ['127.0.0.1', '127.0.0.2', '127.0.0.3'] });
  const dialer = new Dialer(PLAIN, names);
  for (let i = 0; i < 2; i++)
    assert.equal((await dialed(t, dialer, `http://a.test:${port}`)).remoteAddress, '127.0.0.2');
  assert.deepEqual(names.shunned, ['127.0.0.1']);
});

test('an address that is silent is outrun by the next one, and then tried last', async (t) => {
  const hole = await startBlackhole(t);
  if (hole === null) return t.skip('this system accepts connections beyond the backlog');
  const port = Number(new URL(hole).port);
  await listen(t, createServer(), '127.0.0.2', port);
  const names = new FewNames({ 'a.test': ['127.0.0.1', '127.0.0.2'] });
  const dialer = new Dialer(PLAIN, names);
  for (let i = 0; i < 2; i++) {
    const startedAt = performance.now();
    assert.equal((await dialed(t, dialer, `http://a.test:${port}`)).remoteAddress, '127.0.0.2');
    assert.ok(performance.now() - startedAt < 5_000);
    // The second time it is outrun by none: it would be told of again.
    assert.deepEqual(names.shunned, ['127.0.0.1']);
  }
});

test('where no address takes it, that is an error with all of them, and so is a name that there is not', async (t) => {
  const dialer = new Dialer(PLAIN, new FewNames({ 'a.test': ['127.1.0.1', '127.1.0.2'] }));
  for (const [url, code] of [
    ['http://a.test:1', 'ECONNREFUSED'],
    ['https://a.test:1', 'ECONNREFUSED'],
    ['http://none.test:1', 'ENOTFOUND'],
    ['http://127.1.0.1:1', 'ECONNREFUSED'],
    ['http://[unix:/none/at.all]', 'ENOENT'],
  ] as const) {
    await assert.rejects(dialed(t, dialer, url), { code }, url);
  }
});

test('bytes are read to where the caller wants them, whichever address they come from', async (t) => {
  const port = await listen(
    t,
    createServer((socket) => socket.end('hello')),
    '127.0.0.2',
  );
  const dialer = new Dialer(PLAIN, new FewNames({ 'a.test': ['127.0.0.1', '127.0.0.2'] }));
  const buffer = Buffer.alloc(16);
  let text = '';
  const callback = (length: number): boolean => {
    text += buffer.toString('latin1', 0, length);
    return true;
  };
  const socket = await dialed(t, dialer, `http://a.test:${port}`, { buffer, callback });
  await once(socket, 'end');
  assert.equal(text, 'hello');
});

test('TLS is begun on the connection that was made first, with the name', { skip: noOpenssl }, async (t) => {
  const pair = makePair(temporaryFolder(t), 'a.test');
  const seen: unknown[] = [];
  const server = createSecureServer({ key: pair.key, cert: pair.cert, ALPNProtocols: ['http/1.1'] }, (socket) => {
    seen.push((socket as TLSSocket & { servername: string }).servername);
    socket.on('error', () => {}).end('hello');
  });
  const port = await listen(t, server, '127.0.0.2');
  const known = { 'a.test': ['127.0.0.1', '127.0.0.2'], 'b.test': ['127.0.0.2'] };
  const names = new FewNames(known);
  const dialer = new Dialer({ verify: true, ca: [pair.cert] }, names);
  for (let i = 0; i < 2; i++) {
    const socket = await dialed(t, dialer, `https://a.test:${port}`);
    assert.ok(socket instanceof TLSSocket);
    assert.equal(socket.alpnProtocol, 'http/1.1');
    assert.equal(String((await once(socket, 'data'))[0]), 'hello');
    await once(socket, 'end');
    assert.equal(socket.isSessionReused(), i === 1);
    assert.ok([...names.held.values()].includes('127.0.0.2'));
    socket.destroy();
    await eventually(() => assert.equal(names.held.size, 0));
  }
  assert.deepEqual(seen, ['a.test', 'a.test']);
  await assert.rejects(dialed(t, dialer, `https://b.test:${port}`), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});

test('a connection that breaks off in the TLS handshake is an error', async (t) => {
  for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const port = await listen(
      t,
      createServer((socket) => socket.once('data', () => socket[end]())),
      '127.0.0.1',
    );
    await assert.rejects(dialed(t, new Dialer(PLAIN, new FewNames({})), `https://127.0.0.1:${port}`));
  }
});

test('a call that is called off leaves no connection, however far it was', async (t) => {
  let open = 0;
  const server = createServer((socket) => {
    open++;
    socket
      .on('error', () => {})
      .once('close', () => open--)
      .resume();
  });
  const port = await listen(t, server, '127.0.0.1');
  const dialer = new Dialer(PLAIN, new FewNames({ 'a.test': ['127.0.0.1'] }));
  for (const url of [`http://a.test:${port}`, `http://127.0.0.1:${port}`, `https://a.test:${port}`]) {
    const dialing: Dialing = dialer.dial(backendOf(url), { onSocket: toldOf, onNoSocket: toldOf });
    // The handshake is not answered.
    if (url.startsWith('https')) await once(server, 'connection');
    dialing.cancel();
    dialing.cancel();
  }
  await eventually(() => assert.equal(open, 0));
});
