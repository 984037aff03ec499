/** The same requests through both lanes: what backends, clients and the access log see of them is the same. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { startRawBackend } from '../support/backends.ts';
import { dial } from '../support/client.ts';
import { propertyRuns } from '../support/random.ts';
import { type Router, startRouter } from '../support/router.ts';
import { Incomplete, readAnswers, readRequests, valuesOf, type WireAnswer, type WireRequest } from '../support/wire.ts';

/** `HIPACHE_PROPERTY_RUNS=20 npm test -- differential` for a long look. */
const RUNS = propertyRuns(60);
const PATIENCE_MS = 10_000;

/** What the backend answers, by the first letter of the path. */
const ANSWERS: Readonly<Record<string, string>> = {
  a: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  b: 'HTTP/1.1 200 OK\r\nDate: Sat, 01 Jan 2000 00:00:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\nyou\r\n0\r\n\r\n',
  c: 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nX-A: 1\r\ntransfer-encoding: Chunked\r\nX-B: 2\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\nSet-Cookie: no\r\n\r\n',
  d: 'HTTP/1.1 204 No Content\r\nX-A: \r\n\r\n',
  e: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: "x"\r\n\r\n',
  f: 'HTTP/1.1 200\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
  g: 'HTTP/1.1 200 Fine, thanks\r\nKeep-Alive: timeout=5\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok',
  h: 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x-b\r\nX-B: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  i: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length:0\r\nX-Mine:  spaced \t\r\nConnection: X-Mine2, close\r\nX-Mine2: 1\r\n\r\n',
  j: 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nold',
  k: 'HTTP/1.1 200 OK\r\nX-Request-Id: mine\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nServer: \xe9\r\nContent-Length: 1\r\n\r\n!',
  l: 'HTTP/1.1 503 Later\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n',
  m: 'HTTP/1.1 500 Oh\r\nTE: x\r\nProxy-Connection: close\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n',
  n: `HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n${'n'.repeat(70_000)}`,
  o: 'HTTP/1.1 302 Found\r\nLocation: /v2/o\r\nSet-Cookie: a=1; Path=/v2\r\nContent-Length: 0\r\n\r\n',
  p: 'HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=1\r\nX-Router-Error: forged\r\nContent-Length: 2\r\n\r\nok',
  q: 'HTTP/1.1 200 OK\r\nx-router-error:forged\r\nTE: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Router-Error: forged\r\n\r\n',
  // Ends with the connection.
  x: 'HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nuntil the end',
  y: 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end',
  // Read leniently.
  r: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5, 5\r\n\r\nhello',
  s: 'HTTP/1.1 200 OK\nX-A: 1\r\nContent-Length: 5\n\nhello',
  t: 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000005 \nhello\n0;\r\nX-Sum: 1\n\n',
  u: 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nX-A: 1\r\n\r\n',
  // Not to be passed on.
  z: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
  w: 'HTTP/1.1 200 OK\rContent-Length: 5\r\rhello',
};
const FAILING = new Set(['w', 'z']);
const CLOSING = new Set(['x', 'y', 'f', 'i', 'w']);

const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'];
const HOSTS = ['site.test', 'SITE.test:80', 'a.wild.test', 'none.test', 'site.test.', 'bad host', '__ping__'];
/** Sites with options, and what each of them touches: the path, the answer, or whether there is one. */
const SITES = [
  'moved.test',
  'mapped.test',
  'strict.test',
  'canonical.test',
  'elsewhere.test',
  'closed.test',
  'gone.test',
];
const LINES = [
  'Accept: */*',
  'accept: text/html',
  'User-Agent: Tester "1"',
  'Referer: http://r.test/\xe9',
  'X-Empty:',
  'X-Spaced: \t two words\t ',
  'X-Tight:tight',
  'Cookie: a=1; b=2',
  'cookie: c=3',
  'Connection: keep-alive',
  'connection: Keep-Alive, X-Gone',
  'Connection: host, content-length, x-forwarded-for',
  'X-Gone: 1',
  'Keep-Alive: timeout=5',
  'Proxy-Connection: keep-alive',
  'TE: trailers',
  'Trailer: X-Sum',
  'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
  'X-Forwarded-For: 198.51.100.7',
  'x-forwarded-for: 10.1.1.1, 10.2.2.2',
  'X-Forwarded-Proto: https',
  'X_Forwarded_Host: forged.test',
  'X-Real-IP: 198.51.100.8',
  'Forwarded: for=198.51.100.9',
  'X-SSL-Client-Verify: SUCCESS',
  'X_SSL-Client_DN: CN=forged',
  'X-Request-Id: from-outside',
  'X-Request-Id: not well formed!',
  'X_Request_Id: alias',
  'X_Request-Id: alias',
  'X!Forwarded.For: 6.6.6.6',
  'Content_Length: 7',
  'Transfer_Encoding: chunked',
  'Proxy: http://evil.test',
  'X-Latin: caf\xe9',
  `X-Long: ${'l'.repeat(3000)}`,
  'Max-Forwards: 3',
  'Authorization: Basic eA==',
  'Host2: other',
];
/** Lines that leave no doubt but one: whether this is a request at all. */
const ODD_LINES = [
  'Content-Length: 1, 1',
  'Transfer-Encoding: gzip, chunked',
  'X Bad: 1',
  ' folded: 1',
  'Host: second.test',
  'X-Ctl: a\x01',
];

const request = fc.record({
  method: fc.constantFrom(...METHODS),
  answer: fc.constantFrom(...Object.keys(ANSWERS)),
  target: fc.constantFrom('/', '/', '/', '//p/../q', '/p?x=%20&y#', '/p;q=1?r={}', '/"quoted"'),
  form: fc.constantFrom('origin', 'origin', 'origin', 'origin', 'absolute'),
  version: fc.constantFrom('1.1', '1.1', '1.1', '1.1', '1.0'),
  host: fc.oneof({ weight: 5, arbitrary: fc.constant('site.test') }, fc.constantFrom(...HOSTS, ...SITES)),
  lines: fc.array(fc.constantFrom(...LINES), { maxLength: 6 }),
  odd: fc.oneof({ weight: 15, arbitrary: fc.constant('') }, fc.constantFrom(...ODD_LINES)),
  framing: fc.constantFrom('none', 'none', 'length', 'chunks', 'extensions', 'trailers', 'zero'),
  body: fc.oneof(fc.string({ maxLength: 40 }), fc.constantFrom('b'.repeat(20_000), 'c'.repeat(90_000))),
  chunk: fc.integer({ min: 1, max: 40_000 }),
});
type Example = typeof request extends fc.Arbitrary<infer T> ? T : never;

const script = fc.record({
  requests: fc.array(request, { maxLength: 3 }),
  last: request,
  splits: fc.array(fc.nat(), { maxLength: 5 }),
});
type Script = typeof script extends fc.Arbitrary<infer T> ? T : never;

function render(example: Example, id: string): string {
  const { method, answer, target, form, version, host, lines, odd, framing } = example;
  // A longer body, its chunks' framing included, is not kept: where its backend fails, the fast lane has to close the connection after the error.
  const most = !FAILING.has(answer) ? Infinity : example.chunk < 100 ? 6_000 : 50_000;
  const body = Buffer.from(example.body).toString('latin1').slice(0, most);
  const path = `/${answer}${id}${target}`;
  const uri = form === 'absolute' ? `http://site.test${path}` : path;
  const fields = [`Host: ${host}`, `X-Case: ${id}`, ...lines, ...(odd === '' ? [] : [odd])];
  const chunks = (extension: string): string => {
    let text = '';
    for (let i = 0; i < body.length; i += example.chunk) {
      const piece = body.slice(i, i + example.chunk);
      text += `${piece.length.toString(16)}${extension}\r\n${piece}\r\n`;
    }
    return text;
  };
  const [field, payload] = {
    none: [[], ''],
    zero: [['Content-Length: 0'], ''],
    length: [[`Content-Length: ${body.length}`], body],
    chunks: [['Transfer-Encoding: chunked'], `${chunks('')}0\r\n\r\n`],
    extensions: [['transfer-encoding: chunked'], `${chunks(';a=b')}0;c\r\n\r\n`],
    trailers: [['Transfer-Encoding: chunked'], `${chunks('')}0\r\nX-Sum: 1\r\nCookie: no\r\n\r\n`],
  }[framing] as [string[], string];
  return `${method} ${uri} HTTP/${version}\r\n${[...fields, ...field].join('\r\n')}\r\n\r\n${payload}`;
}

/** The same, less what makes a router close the connection: what is sent behind that may be heard or not. */
function keeping(example: Example): Example {
  const host = example.host === 'bad host' ? 'site.test' : example.host;
  const target = example.target.includes('#') ? '/' : example.target;
  return { ...example, odd: '', version: '1.1', host, target };
}

/** Behind the empty line of the final response. */
function endOfHead(answer: string): number {
  const final = answer.slice(answer.search(/HTTP\/1\.[01] [2-9]/));
  return (
    answer.length - final.length + (/\r?\n\r?\n/.exec(final)?.index ?? 0) + (/\r?\n\r?\n/.exec(final)?.[0].length ?? 0)
  );
}

/** One of the two settings, with a backend of its own. */
class Side {
  readonly router: Router;
  /** What the backend has received, by case. */
  readonly received: Map<string, unknown>;

  constructor(router: Router, received: Map<string, unknown>) {
    this.router = router;
    this.received = received;
  }

  static async start(t: TestContext, fastLane: boolean): Promise<Side> {
    const received = new Map<string, unknown>();
    const backend = await startRawBackend(t, (socket) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        let one: WireRequest | undefined;
        try {
          [one] = readRequests(text);
        } catch (error) {
          if (!(error instanceof Incomplete)) received.set('fault', `${(error as Error).message}: ${text}`);
          return;
        }
        text = '';
        if (!one) return;
        received.set(valuesOf(one, 'x-case')[0] ?? '', seen(one));
        const kind = one.target.replace(/^http:\/\/[^/]*/, '')[1] ?? '';
        const answer = ANSWERS[kind] ?? '';
        const end = endOfHead(answer);
        socket.write(one.method === 'HEAD' && kind !== 'w' ? answer.slice(0, end) : answer, 'latin1');
        if (CLOSING.has(kind)) socket.end();
      });
      socket.on('end', () => socket.end());
    });
    const to = [backend.url];
    const routes = {
      'site.test': ['site', ...to],
      '*.wild.test': ['wild', ...to],
      'moved.test': ['moved', ...to],
      'options:moved.test': { rewrite: '^/(.)(.*)/q?$ /$1$2/moved/$0' },
      'mapped.test': ['mapped', ...to],
      'options:mapped.test': { rewrite: '^/o(.*)$ /o/v2$1', mapBack: '1' },
      'strict.test': ['strict', ...to],
      'options:strict.test': { hsts: '60', https: 'redirect', canonical: 'STRICT.test' },
      'canonical.test': ['canonical', ...to],
      'options:canonical.test': { canonical: 'site.test' },
      'elsewhere.test': ['elsewhere', 'redirect://site.test/there 302'],
      'closed.test': ['closed', ...to],
      'options:closed.test': { state: 'maintenance' },
      'errors:closed.test': { '503': '<p>back soon</p>' },
      'gone.test': ['gone'],
      'errors:*': { '502': '<p>gone</p>' },
    };
    const server = { fastLane, requestId: 'both', timeouts: { body: 3, firstByte: 3, header: 3 } };
    return new Side(await startRouter(t, { routes, server }), received);
  }

  /** Sends bytes, in pieces, and gives all that came back when the router has closed the connection. */
  async converse(bytes: string, splits: readonly number[]): Promise<string> {
    const client = await dial(this.router.port);
    client.setNoDelay(true);
    let text = '';
    client.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    const closed = new Promise((resolve) => client.once('close', resolve));
    client.setTimeout(PATIENCE_MS, () => client.destroy());
    const marks = [0, ...splits.map((at) => at % bytes.length), bytes.length].toSorted((a, b) => a - b);
    for (let i = 1; i < marks.length; i++) {
      if (client.destroyed) break;
      client.write(Buffer.from(bytes.slice(marks[i - 1], marks[i]), 'latin1'));
      await turn();
      await turn();
    }
    await closed;
    return text;
  }
}

type Fields = readonly (readonly [string, string])[];

/** What may differ from one run to the next. */
function settled(fields: Fields): Fields {
  return fields.map(([name, value]) => {
    const isOurs =
      /^(?:x-forwarded-port|date)$/i.test(name) || (/^x-request-id$/i.test(name) && /^[0-9a-f-]{36}$/.test(value));
    return [name, isOurs ? '*' : value];
  });
}

function seen({ method, target, version, fields, body, trailers }: WireRequest): unknown {
  return { method, target, version, fields: settled(fields), body, trailers };
}

function heard(text: string, methods: readonly string[]): unknown {
  let answers: WireAnswer[];
  try {
    answers = readAnswers(text, methods);
  } catch {
    // An error page behind a HEAD that could not be read, for example.
    return text.replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '*').replaceAll(/\r\nDate: [^\r]*/g, '');
  }
  // Node's server has no place for a hint whose turn has not come; wire/fidelity holds both lanes to passing on others.
  const finals = answers.filter(({ status }) => status >= 200);
  return finals.map(({ status, reason, fields, body, trailers }) => [status, reason, settled(fields), body, trailers]);
}

function brief(bytes: string): string {
  return JSON.stringify(bytes.replaceAll(/(.)\1{50,}/g, '$1…'));
}

/** The lines that both have written of these cases, without times. */
async function logged(router: Router, ids: readonly string[], count: number): Promise<string[]> {
  const of = (line: string): boolean => ids.some((id) => line.includes(id));
  await router.until(`access log lines of ${ids.join()}`, () => router.lines.filter(of).length >= count);
  return router.lines
    .filter(of)
    .map((line) => line.replace(/\[[^\]]*\]/, '').replace(/ [0-9.]+ [0-9.]+$/, ''))
    .toSorted();
}

/** The cause, before what led to it. */
function report({ failed, errorInstance, seed, counterexamplePath }: fc.RunDetails<[Script]>): void {
  if (failed) throw new Error(`seed ${seed}, path ${counterexamplePath}: ${String(errorInstance)}`);
}

test('both lanes say the same to backends, clients and the access log', async (t) => {
  const [fast, full] = await Promise.all([Side.start(t, true), Side.start(t, false)]);
  let count = 0;
  await fc.assert(
    fc.asyncProperty(script, async ({ requests, last, splits }: Script) => {
      const closing = { ...last, lines: [...last.lines, 'Connection: close'] };
      const all = [...requests.map(keeping), closing];
      const ids = all.map(() => `case${String(count++).padStart(6, '0')}.`);
      const bytes = all.map((one, i) => render(one, ids[i] ?? '')).join('');
      const methods = all.map(({ method }) => method);
      const story = `sent ${brief(bytes)}`;
      for (const side of [fast, full]) side.received.clear();
      const [toFast, toFull] = await Promise.all([fast.converse(bytes, splits), full.converse(bytes, splits)]);
      assert.deepEqual(
        heard(toFast, methods),
        heard(toFull, methods),
        `clients; ${story}, in pieces ${splits.map((at) => at % bytes.length).join()}`,
      );
      for (const id of ids) {
        assert.deepEqual(fast.received.get(id), full.received.get(id), `backends, ${id}; ${story}`);
      }
      // A head that is no request may have a line without its path in it.
      if (/HTTP\/1\.1 400 /.test(toFull)) return;
      assert.deepEqual(await logged(fast.router, ids, ids.length), await logged(full.router, ids, ids.length));
    }),
    {
      numRuns: RUNS,
      seed: Number(process.env['SEED'] ?? 42),
      endOnFailure: process.env['SHRINK'] === undefined,
      reporter: report,
    },
  );
  for (const { router } of [fast, full]) {
    assert.deepEqual(
      router.log.filter(({ event }) => event === 'worker-mistake' || event === 'internal-error'),
      [],
    );
  }
});
