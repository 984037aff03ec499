/** Whatever bytes come: an error and nothing forwarded, or requests that no two readers could read in two ways. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { startRawBackend } from '../support/backends.ts';
import { ask, dial } from '../support/client.ts';
import { propertyRuns } from '../support/random.ts';
import { startRouter } from '../support/router.ts';
import { Incomplete, readRequests, valuesOf, type WireRequest } from '../support/wire.ts';

/** `HIPACHE_PROPERTY_RUNS=20 npm test -- property` for a long look. */
const RUNS = propertyRuns(5);
/** Requests thrown at the router at a time, each on its own connection. */
const BATCH = 100;

/** Bytes and phrases that request smuggling is made of. */
const spice = fc.constantFrom(
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  '\0',
  '\x01',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '\x0b',
  '\x7f',
  '\xff',
  '0',
  '-',
  '+',
  '"',
  'chunked',
  'identity',
  'gzip',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: other.test\r\n',

  ' HTTP/1.1',
  'Transfer-Encoding:\x0bchunked\r\n',
  'Connection: Content-Length\r\n',
  '0\r\n\r\n',
  'GET /x HTTP/1.1\r\n',
);

const mutation = fc.record({
  at: fc.nat(999),
  kind: fc.constantFrom('insert', 'remove', 'replace', 'double'),
  what: spice,
});
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

const framing = fc.constantFrom('none', 'length', 'chunks', 'extensions', 'trailers');
const example = fc.record({
  method: fc.constantFrom('GET', 'POST', 'DELETE', 'OPTIONS', 'PUT', 'HEAD'),
  framing,
  version: fc.constantFrom('1.1', '1.1', '1.1', '1.0'),
  body: fc.string({ maxLength: 30 }),
  mutations: fc.array(mutation, { maxLength: 3 }),
});
type Example = typeof example extends fc.Arbitrary<infer T> ? T : never;

function render({ method, framing: kind, version, body, mutations }: Example, id: string): string {
  const text = Buffer.from(body).toString('latin1');
  const size = text.length.toString(16);
  const chunk = (extension: string): string => (text === '' ? '' : `${size}${extension}\r\n${text}\r\n`);
  const parts = {
    none: ['', ''],
    length: [`Content-Length: ${text.length}\r\n`, text],
    chunks: ['Transfer-Encoding: chunked\r\n', `${chunk('')}0\r\n\r\n`],
    extensions: ['Transfer-Encoding: chunked\r\n', `${chunk(';a=b')}0;c\r\n\r\n`],
    trailers: ['Transfer-Encoding: chunked\r\n', `${chunk('')}0\r\nX-Sum: 1\r\n\r\n`],
  } as const;
  const [field, payload] = parts[kind];
  const bytes = `${method} /case HTTP/${version}\r\nHost: site.test\r\nX-Case: ${id}\r\n${field}\r\n${payload}`;
  return mutations.reduce(mutate, bytes);
}

function mutate(bytes: string, { at, kind, what }: Mutation): string {
  const i = at % (bytes.length + 1);
  switch (kind) {
    case 'insert':
      return bytes.slice(0, i) + what + bytes.slice(i);
    case 'remove':
      return bytes.slice(0, i) + bytes.slice(i + 1);
    case 'replace':
      return bytes.slice(0, i) + what + bytes.slice(i + what.length);
    case 'double': {
      const end = bytes.indexOf('\r\n', i) + 2;
      const line = bytes.slice(bytes.lastIndexOf('\r\n', i) + 2, end);
      return bytes.slice(0, end) + line + bytes.slice(end);
    }
  }
}

/** Names that a mutation does not turn into another. */
function caseId(n: number): string {
  return createHash('sha1').update(String(n)).digest('hex');
}

/** What a strict reader makes of bytes, as far as it gets. */
function strictly(bytes: string): WireRequest[] | null {
  try {
    return readRequests(bytes);
  } catch {
    return null;
  }
}

test('mutated heads and bodies', async (t) => {
  const connections: string[] = [];
  const backend = await startRawBackend(t, (socket) => {
    const index = connections.push('') - 1;
    socket.on('data', (chunk) => {
      connections[index] += chunk.toString('latin1');
      if (strictly(connections[index] ?? '')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    socket.on('end', () => socket.end());
  });
  // A connection for each request, so that what was forwarded can be told apart.
  const server = { httpKeepAlive: false, accessLog: 'none', timeouts: { header: 1, body: 1, idle: 1, firstByte: 2 } };
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server });

  async function throwAt(bytes: string): Promise<void> {
    const client = await dial(router.port);
    client.resume();
    const closed = new Promise((resolve) => client.once('close', resolve));
    client.write(Buffer.from(bytes, 'latin1'));
    client.setTimeout(15_000, () => client.destroy(new Error('neither answered nor closed')));
    const failure = new Promise<Error | null>((resolve) => {
      client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNRESET' ? null : error));
      void closed.then(() => resolve(null));
    });
    const error = await failure;
    if (error) throw error;
  }

  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(example, { minLength: BATCH, maxLength: BATCH }), async (examples) => {
      connections.length = 0;
      const sent = new Map(examples.map((one) => [caseId(count++), one]));
      const bytes = new Map([...sent].map(([id, one]) => [id, render(one, id)]));
      await Promise.all([...bytes.values()].map(throwAt));
      for (const received of connections) check(received, bytes);
      assert.equal((await ask({ port: router.port })).status, 200, 'a good request still works');
    }),
    { numRuns: RUNS, seed: Number(process.env['SEED'] ?? 42), endOnFailure: true, reporter: report },
  );
  assert.equal(
    router.log.find(({ event }) => event === 'worker-mistake' || event === 'worker-died'),
    undefined,
  );
});

/** The cause alone: a batch of examples is too long to read. */
function report({ failed, errorInstance, seed, counterexamplePath }: fc.RunDetails<[Example[]]>): void {
  if (failed) throw new Error(`seed ${seed}, path ${counterexamplePath}`, { cause: errorInstance });
}

/** What arrived on one connection is one request, or the beginning of one that was broken off. */
function check(received: string, sent: ReadonlyMap<string, string>): void {
  let requests: WireRequest[];
  try {
    requests = readRequests(received);
  } catch (error) {
    assert.ok(error instanceof Incomplete, `ambiguous: ${JSON.stringify(received)}`);
    return;
  }
  assert.ok(requests.length <= 1, `more than one request: ${JSON.stringify(received)}`);
  const [request] = requests;
  const [id] = request ? valuesOf(request, 'x-case') : [];
  const original = strictly(sent.get(id ?? '') ?? '')?.find((one) => valuesOf(one, 'x-case').includes(id ?? ''));
  if (request && original) assert.equal(request.body, original.body, `another body: ${JSON.stringify(received)}`);
}
