/** Bytes that go from a backend's connection to a client's without a copy. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { SpoolBudget } from '../../lib/core/limits/spool.ts';
import { ClientOutput } from '../../lib/fastlane/client-output.ts';
import type { LaneParts } from '../../lib/fastlane/parts.ts';
import { lentCount } from '../../lib/http1/lent-memory.ts';
import { type Reader, ResponseReads } from '../../lib/http1/response-reads.ts';
import { makePair, noOpenssl, type Pair } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { propertyRuns, seeded } from '../support/random.ts';

/** What lib/http1/lent-memory.ts allows. */
const MOST = 128;
const RELAYS = 16;
const MOST_BYTES = 1_000_000;
/** Repeats after a number of bytes that no read has: at each place other bytes are right. */
const PATTERN = Buffer.from(Array.from({ length: 65_521 }, (_, i) => (i * 7 + i / 251) & 255));
const TURN_LIMIT = 20;

const folder = mkdtempSync(join(tmpdir(), 'lent-memory-'));
let pair: Pair | null = null;
before(() => {
  if (noOpenssl === false) pair = makePair(folder, 'lent.test');
});
after(() => rmSync(folder, { recursive: true }));

let listening = 0;

/** Listens on a Unix socket, whose buffers are small: clients that do not read are noticed early. @returns its path */
async function listen(t: TestContext, server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
  const path = join(folder, `${++listening}.sock`);
  server.listen(path);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}

/** A client's connection, as the router has it and as the client has it. */
interface Connection {
  readonly accepted: Socket;
  readonly client: Socket;
}

/** Makes connections of clients, one at a time. */
async function startClients(t: TestContext, isTls: boolean): Promise<() => Promise<Connection>> {
  const server = isTls ? createTlsServer({ ...(pair && { key: pair.key, cert: pair.cert }) }) : createServer();
  const path = await listen(t, server);
  return async () => {
    const accepting = once(server, isTls ? 'secureConnection' : 'connection') as Promise<[Socket]>;
    const client = isTls ? connectTls({ path, rejectUnauthorized: false }) : connect({ path });
    const [accepted] = await accepting;
    return { accepted: accepted.on('error', () => {}), client: client.on('error', () => {}) };
  };
}

/** Writes to a client what comes from a backend, as the fast lane does, each time behind some text. */
class Relay implements Reader {
  readonly #output: ClientOutput;
  readonly #random: () => number;
  readonly #reads = new ResponseReads(this);
  readonly source: Socket;
  /** What the client has to get. */
  readonly sent: Buffer[] = [];

  constructor(path: string, accepted: Socket, random: () => number, client = '192.0.2.1') {
    this.#random = random;
    const limits = { readMinRate: 0, readMs: 60_000 };
    const parts = { limits, spools: new SpoolBudget(), now: () => performance.now() } as unknown as LaneParts;
    const output = new ClientOutput(accepted, client, parts);
    this.#output = output;
    this.source = connect({ path, onread: this.#reads.options });
    const end = (): void => {
      this.source.destroy();
      output.clear();
    };
    this.source
      .on('error', () => {})
      .on('close', () => {
        this.#reads.end();
        if (!output.isBlocked) accepted.end();
      });
    accepted.on('close', end).on('drain', () => {
      assert.ok(output.flush(0));
      if (output.isBlocked) return;
      if (this.source.destroyed) accepted.end();
      else this.source.resume();
    });
    accepted.resume();
  }

  get isPaused(): boolean {
    return this.source.isPaused();
  }

  onBytes(bytes: Buffer): void {
    const text = this.#random() < 0.5 ? '' : 'head'.repeat(Math.floor(this.#random() * 2_000));
    this.sent.push(Buffer.from(text), Buffer.from(bytes));
    this.#output.write(text, bytes);
    if (this.#output.isFull) this.source.pause();
    if (this.#random() < 0.1) this.#reads.rest(Math.floor(this.#random() * 100_000));
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Sends bytes of its own in parts of any size, at any speed. */
async function startSource(t: TestContext, random: () => number, mostBytes = MOST_BYTES): Promise<string> {
  let serial = 0;
  const serve = async (socket: Socket): Promise<void> => {
    const own = Buffer.alloc(400_000, PATTERN.subarray((serial++ * 101) % 30_000));
    const length = Math.floor((1 - random() ** 2) * mostBytes);
    for (let at = 0; at < length && !socket.destroyed;) {
      const part = Math.min(length - at, Math.ceil(random() ** 3 * 399_990));
      const from = Math.floor(random() * 5);
      const bytes = own.subarray(from, from + part);
      at += part;
      if (!socket.write(bytes)) await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve));
      await turns(Math.floor(random() * 3));
    }
    socket.end();
  };
  return await listen(
    t,
    createServer((socket) => void serve(socket)),
  );
}

/** Reads at some speed, and leaves before the end if told to. @returns what has come */
async function receive(client: Socket, random: () => number, leavesAfter: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  const slowness = random() < 0.5 ? 0 : Math.floor(random() * TURN_LIMIT);
  await turns(random() < 0.3 ? 100 : 0);
  for await (const part of client as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    if (bytes > leavesAfter) break;
    await turns(slowness);
  }
  client.destroy();
  return Buffer.concat(parts);
}

for (const isTls of [false, true]) {
  const kind = isTls ? 'TLS' : 'plain';
  test(
    `${kind}: every client gets its own bytes, at any speed, also when others leave, and all memory is given back`,
    { skip: isTls && noOpenssl },
    async (t) => {
      for (let run = 0; run < propertyRuns(2); run++) {
        const random = seeded(run * 2 + Number(isTls));
        const path = await startSource(t, random);
        const open = await startClients(t, isTls);
        const serve = async ({ accepted, client }: Connection): Promise<void> => {
          const relay = new Relay(path, accepted, random);
          const leaves = random() < 0.3;
          const got = await receive(client, random, leaves ? random() * MOST_BYTES : Infinity);
          const sent = Buffer.concat(relay.sent);
          if (!leaves) assert.equal(got.length, sent.length);
          assert.ok(got.equals(sent.subarray(0, got.length)), `run ${run}: bytes of another`);
        };
        const running: Promise<void>[] = [];
        for (let i = 0; i < RELAYS; i++) running.push(serve(await open()));
        await Promise.all(running);
        await eventually(() => assert.equal(lentCount(), 0));
      }
    },
  );

  test(
    `${kind}: clients that stop reading hold a bounded number of buffers, and others are served without`,
    { skip: isTls && noOpenssl },
    async (t) => {
      const random = seeded(5);
      const path = await startSource(t, random);
      const open = await startClients(t, isTls);
      const stalled: { connection: Connection; relay: Relay }[] = [];
      for (let i = 0; i < MOST; i++) {
        const connection = await open();
        connection.client.pause();
        stalled.push({ connection, relay: new Relay(path, connection.accepted, random, `192.0.2.${i}`) });
      }
      await eventually(() => assert.ok(stalled.filter(({ relay }) => relay.isPaused).length > MOST / 2));
      assert.ok(lentCount() > MOST / 2);
      assert.ok(lentCount() <= MOST);
      const { accepted, client } = await open();
      const relay = new Relay(path, accepted, random);
      const got = await receive(client, () => 0, Infinity);
      assert.ok(got.equals(Buffer.concat(relay.sent)));
      for (const { connection } of stalled) connection.client.destroy();
      await eventually(() => assert.equal(lentCount(), 0));
    },
  );

  test(
    `${kind}: one client that stops reading on many connections holds half of the memory, and another still gets some`,
    { skip: isTls && noOpenssl },
    async (t) => {
      const random = seeded(7);
      const path = await startSource(t, random);
      const open = await startClients(t, isTls);
      const clients: Socket[] = [];
      const stall = async (address: string, count: number): Promise<void> => {
        const relays: Relay[] = [];
        for (let i = 0; i < count; i++) {
          const { accepted, client } = await open();
          client.pause();
          clients.push(client);
          relays.push(new Relay(path, accepted, random, address));
        }
        await eventually(() => assert.ok(relays.every(({ isPaused, source }) => isPaused || source.destroyed)));
      };
      await stall('192.0.2.1', MOST);
      const held = lentCount();
      assert.ok(held > MOST / 4, `${held} held`);
      assert.ok(held <= MOST / 2, `${held} held`);
      await stall('192.0.2.2', 4);
      assert.ok(lentCount() > held);
      for (const client of clients) client.destroy();
      await eventually(() => assert.equal(lentCount(), 0));
    },
  );
}
