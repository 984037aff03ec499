import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { type EndReads, proveAcceptedReads, readAccepted } from '../../lib/fastlane/accepted-reads.ts';
import { kept } from '../../lib/http1/read-buffer.ts';

async function pair(t: TestContext): Promise<{ client: Socket; accepted: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  t.after(() => [client, accepted].forEach((socket) => socket.destroy()));
  return { client, accepted };
}

test('this Node can read accepted sockets into one buffer', async () => {
  assert.equal(await proveAcceptedReads(), true);
});

test('what was kept stays as it was when another socket reads into the buffer', async (t) => {
  const [one, two] = [await pair(t), await pair(t)];
  const got: Buffer[] = [];
  const read = async ({ client, accepted }: typeof one, text: string): Promise<void> => {
    const came = new Promise<void>((resolve) => {
      readAccepted(accepted, (bytes) => {
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
});

test('a paused socket reads nothing, and goes on where it was', async (t) => {
  const { client, accepted } = await pair(t);
  const total = 8 * 1024 * 1024;
  const parts: number[] = [];
  const whole = new Promise<void>((resolve) => {
    accepted.on('end', resolve);
  });
  readAccepted(accepted, (part) => {
    parts.push(part.length);
    accepted.pause();
    // What is read before somebody says so is read too early.
    const soFar = parts.length;
    setImmediate(() => {
      assert.equal(parts.length, soFar);
      accepted.resume();
    });
  });
  accepted.resume();
  client.end(Buffer.alloc(total));
  await whole;
  assert.equal(
    parts.reduce((sum, length) => sum + length, 0),
    total,
  );
  assert.ok(Math.max(...parts) <= 65_536);
});

test('given back, the stream brings every byte in order, however slowly it is read', async (t) => {
  const { client, accepted } = await pair(t);
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
  const body = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => i % 251));
  client.end(body);
  const parts: Buffer[] = [];
  for await (const part of accepted as AsyncIterable<Buffer>) {
    parts.push(part);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(Buffer.concat(parts).equals(Buffer.concat([Buffer.from('head'), body])));
});
