/** gRPC, by its own client and server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { test, type TestContext } from 'node:test';
import {
  Client,
  credentials,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { deferred } from '../support/deferred.ts';
import { eventually } from '../support/eventually.ts';
import { startRouter } from '../support/router.ts';

const same = (bytes: Buffer): Buffer => bytes;
const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
const path = (name: string): string => `/test.Echo/${name}`;

const say: handleUnaryCall<Buffer, Buffer> = ({ request }, callback) => callback(null, request);
const fail: handleUnaryCall<Buffer, Buffer> = (_call, callback) => {
  callback({ code: status.NOT_FOUND, details: 'no such thing: ü' });
};
const count: handleServerStreamingCall<Buffer, Buffer> = (call) => {
  for (let i = 0; i < call.request.length; i++) call.write(Buffer.from([i]));
  call.end();
};

/** Adds up the lengths of all messages, and says in its trailers how many there were. */
const sum: handleClientStreamingCall<Buffer, Buffer> = (call, callback) => {
  let length = 0;
  let messages = 0;
  call.on('data', (bytes: Buffer) => {
    length += bytes.length;
    messages++;
  });
  call.on('error', () => {});
  call.on('end', () => {
    const trailers = new Metadata();
    trailers.set('x-messages', String(messages));
    trailers.set('x-raw-bin', Buffer.from([0, 255]));
    callback(null, Buffer.from(String(length)), trailers);
  });
};

function isNotFound({ code, details }: ServiceError): boolean {
  return code === status.NOT_FOUND && details === 'no such thing: ü';
}

interface GrpcBackend {
  readonly url: string;
  /** Calls that were cancelled. */
  readonly cancelled: string[];
}

async function startGrpc(t: TestContext): Promise<GrpcBackend> {
  const cancelled: string[] = [];
  const chat: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    call.on('data', (bytes: Buffer) => call.write(bytes));
    call.on('end', () => call.end());
    call.on('cancelled', () => cancelled.push('chat'));
    call.on('error', () => {});
  };
  /** Never answers. */
  const wait: handleUnaryCall<Buffer, Buffer> = (call) => {
    call.on('cancelled', () => cancelled.push('wait'));
  };
  const server = new Server();
  const unary = { requestStream: false, responseStream: false, ...codec };
  server.addService(
    {
      say: { path: path('say'), ...unary },
      fail: { path: path('fail'), ...unary },
      count: { path: path('count'), ...unary, responseStream: true },
      wait: { path: path('wait'), ...unary },
      sum: { path: path('sum'), ...unary, requestStream: true },
      chat: { path: path('chat'), ...unary, requestStream: true, responseStream: true },
    },
    { say, fail, count, wait, sum, chat },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  t.after(() => server.forceShutdown());
  return { url: `h2c://127.0.0.1:${port}`, cancelled };
}

test('a gRPC server is spoken to as it wants, by a client of HTTP/1.1 too', async (t) => {
  const { url } = await startGrpc(t);
  const router = await startRouter(t, { routes: { 'grpc.test': ['grpc', url] } });
  const message = Buffer.from([0, 0, 0, 0, 2, 104, 105]);
  for (const [name, code, body] of [
    ['say', '0', message],
    ['fail', '5', Buffer.alloc(0)],
    ['none', '12', Buffer.alloc(0)],
  ] as const) {
    const headers = { host: 'grpc.test', 'content-type': 'application/grpc', te: 'trailers' };
    const out = httpRequest({ port: router.port, path: path(name), method: 'POST', headers }).end(message);
    const [answer] = (await once(out, 'response')) as [IncomingMessage];
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(Buffer.concat((await answer.toArray()) as Buffer[]), body);
    assert.equal(answer.trailers['grpc-status'] ?? answer.headers['grpc-status'], code);
  }
});

test('gRPC of every kind goes through', async (t) => {
  const { url, cancelled } = await startGrpc(t);
  const router = await startRouter(t, {
    routes: { 'grpc.test': ['grpc', url] },
    config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } },
  });
  const client = new Client(`127.0.0.1:${router.port}`, credentials.createInsecure(), {
    'grpc.default_authority': 'grpc.test',
  });
  t.after(() => client.close());
  const unary = (name: string, bytes: Buffer): Promise<Buffer | undefined> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path(name), same, same, bytes, (error, answer?: Buffer) => {
        if (error) reject(error);
        else resolve(answer);
      });
    });

  await t.test('a call and its answer, large ones too', async () => {
    for (const length of [0, 2, 1_000_000]) assert.equal((await unary('say', Buffer.alloc(length, 1)))?.length, length);
  });

  await t.test('a status that is none of HTTP’s', async () => {
    await assert.rejects(unary('fail', Buffer.from('x')), isNotFound);
    await assert.rejects(unary('none', Buffer.from('x')), ({ code }: ServiceError) => code === status.UNIMPLEMENTED);
  });

  await t.test('a stream from the server', async () => {
    const call = client.makeServerStreamRequest(path('count'), same, same, Buffer.alloc(100));
    const answers = (await call.toArray()) as Buffer[];
    assert.deepEqual(
      answers.map(([i]) => i),
      Array.from({ length: 100 }, (_, i) => i),
    );
  });

  await t.test('a stream from the client, with metadata at its end', async () => {
    const trailers = deferred<Metadata>();
    const answer = new Promise<string>((resolve, reject) => {
      const call = client.makeClientStreamRequest(path('sum'), same, same, (error, bytes?: Buffer) => {
        if (error) reject(error);
        else resolve(String(bytes));
      });
      call.on('status', ({ metadata }: { metadata: Metadata }) => trailers.resolve(metadata));
      for (let i = 0; i < 50; i++) call.write(Buffer.alloc(10_000));
      call.end();
    });
    assert.equal(await answer, '500000');
    const metadata = await trailers.promise;
    assert.deepEqual(metadata.get('x-messages'), ['50']);
    assert.deepEqual(metadata.get('x-raw-bin'), [Buffer.from([0, 255])]);
  });

  await t.test('a deadline that passes ends the call, at the server too', async () => {
    const options = { deadline: Date.now() + 2_000 };
    const failure = new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest(path('wait'), same, same, Buffer.from('x'), options, (error) => resolve(error));
    });
    assert.equal((await failure)?.code, status.DEADLINE_EXCEEDED);
    await eventually(() => assert.deepEqual(cancelled, ['wait']));
  });

  await t.test('streams both ways, message by message', async () => {
    const call = client.makeBidiStreamRequest(path('chat'), same, same);
    for (let i = 0; i < 20; i++) {
      call.write(Buffer.from([i]));
      const [answer] = (await once(call, 'data')) as [Buffer];
      assert.deepEqual([...answer], [i]);
    }
    call.end();
    await once(call, 'end');
  });

  await t.test('a call that is cancelled is cancelled at the server', async () => {
    const call = client.makeBidiStreamRequest(path('chat'), same, same);
    call.on('error', () => {});
    call.write(Buffer.from('x'));
    await once(call, 'data');
    call.cancel();
    await eventually(() => assert.deepEqual(cancelled, ['wait', 'chat']));
  });
});
