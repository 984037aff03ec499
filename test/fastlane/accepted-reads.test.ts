import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { proveAcceptedReads, readAccepted } from '../../lib/fastlane/accepted-reads.ts';
import { type EndReads, kept } from '../../lib/http1/read-buffer.ts';
import { makePair, noOpenssl, type Pair } from '../support/certificates.ts';

const READ_BYTES = 65_536;

const folder = mkdtempSync(join(tmpdir(), 'accepted-reads-'));
let certificate: Pair | null = null;
before(() => {
  if (noOpenssl === false) certificate = makePair(folder, 'reads.test');
});
after(() => rmSync(folder, { recursive: true }));

interface Kind {
  readonly name: string;
  readonly skip: string | false;
  readonly createServer: () => Server;
  readonly connect: (port: number) => Socket;
  readonly event: string;
}

const KINDS: readonly Kind[] = [
  {
    name: 'plain',
    skip: false,
    createServer: () => createServer({ allowHalfOpen: true }),
    connect: (port) => connect(port, '127.0.0.1'),
    event: 'connection',
  },
  ...(['TLSv1.2', 'TLSv1.3'] as const).map((version): Kind => ({
    name: version,
    skip: noOpenssl,
    createServer: () =>
      createTlsServer({
        ...(certificate && { key: certificate.key, cert: certificate.cert }),
        minVersion: version,
        maxVersion: version,
        allowHalfOpen: true,
      }),
    connect: (port) => connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }),
    event: 'secureConnection',
  })),
];

async function pair(t: TestContext, kind: Kind): Promise<{ client: Socket; accepted: Socket }> {
  const server = kind.createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const client = kind.connect((server.address() as AddressInfo).port);
  const [accepted] = (await once(server, kind.event)) as [Socket];
  t.after(() => [client, accepted].forEach((socket) => socket.destroy()));
  return { client, accepted };
}

test('this Node can read accepted sockets into one buffer, with TLS and without', async () => {
  assert.equal(await proveAcceptedReads(), readAccepted);
});

for (const kind of KINDS) {
  const { name, skip } = kind;

  test(`${name}: what was kept stays as it was when another socket reads into the buffer`, { skip }, async (t) => {
    const [one, two] = [await pair(t, kind), await pair(t, kind)];
    const got: Buffer[] = [];
    const buffers = new Set<ArrayBufferLike>();
    const read = async ({ client, accepted }: typeof one, text: string): Promise<void> => {
      const came = new Promise<void>((resolve) => {
        readAccepted(accepted, (bytes) => {
          buffers.add(bytes.buffer);
          got.push(kept(bytes));
          resolve();
        });
      });
      accepted.resume();
      client.write(text);
      await came;
    };
    await read(one, 'from one');
    await read(two, 'FROM TWO');
    assert.deepEqual(got.map(String), ['from one', 'FROM TWO']);
    assert.equal(buffers.size, 1);
  });

  test(`${name}: a paused socket reads nothing more, and goes on where it was`, { skip }, async (t) => {
    const { client, accepted } = await pair(t, kind);
    const body = bytesOf(8 * 1024 * 1024);
    const parts: Buffer[] = [];
    const whole = new Promise<void>((resolve) => {
      accepted.on('end', resolve);
    });
    let sincePause = 0;
    readAccepted(accepted, (part) => {
      parts.push(kept(part));
      sincePause += part.length;
      if (accepted.isPaused()) return;
      accepted.pause();
      sincePause = 0;
      setImmediate(() => {
        // With TLS, what was read from the network before the pause is still decrypted.
        const soFar = sincePause;
        assert.ok(soFar <= (kind.event === 'connection' ? 0 : READ_BYTES));
        setImmediate(() => {
          assert.equal(sincePause, soFar);
          accepted.resume();
        });
      });
    });
    accepted.resume();
    client.end(body);
    await whole;
    assert.ok(Buffer.concat(parts).equals(body));
    assert.ok(Math.max(...parts.map(({ length }) => length)) <= READ_BYTES);
  });

  test(`${name}: given back, the stream brings every byte in order, however slowly it is read`, { skip }, async (t) => {
    const { client, accepted } = await pair(t, kind);
    const end = await new Promise<EndReads>((resolve) => {
      const reads = readAccepted(accepted, (bytes) => {
        assert.equal(bytes.toString(), 'head');
        assert.ok(reads);
        resolve(reads);
      });
      accepted.resume();
      client.write('head');
    });
    end();
    accepted.pause();
    accepted.unshift(Buffer.from('head'));
    const body = bytesOf(3_000_000);
    client.end(body);
    const parts: Buffer[] = [];
    for await (const part of accepted as AsyncIterable<Buffer>) {
      parts.push(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(Buffer.concat(parts).equals(Buffer.concat([Buffer.from('head'), body])));
  });
}

test(
  'TLS: given back within a read, the rest that was decrypted with it comes from the stream',
  { skip: noOpenssl },
  async (t) => {
    const kind = KINDS.find(({ name }) => name === 'TLSv1.3');
    assert.ok(kind);
    const { client, accepted } = await pair(t, kind);
    const body = bytesOf(200_000);
    let first = 0;
    const given = new Promise<void>((resolve) => {
      const end = readAccepted(accepted, (bytes) => {
        first = bytes.length;
        end?.();
        accepted.pause();
        accepted.unshift(kept(bytes));
        resolve();
      });
    });
    accepted.resume();
    client.end(body);
    await given;
    assert.ok(first < body.length);
    const parts: Buffer[] = [];
    for await (const part of accepted as AsyncIterable<Buffer>) parts.push(part);
    assert.ok(Buffer.concat(parts).equals(body));
  },
);

function bytesOf(length: number): Buffer {
  return Buffer.alloc(length, Buffer.from(Array.from({ length: 65_521 }, (_, i) => i % 251)));
}
