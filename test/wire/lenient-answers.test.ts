/** Responses that break the grammar and have one reading are taken, in both lanes; requests that do so are refused. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { startRawBackend } from '../support/backends.ts';
import { send } from '../support/client.ts';
import { openSession, request } from '../support/http2.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { readAnswers } from '../support/wire.ts';
import { startScene, statusOf } from './scene.ts';

const H2C = { http: { port: 0, bind: ['127.0.0.1'], http2: true } };
const LENGTH = 'Content-Length: 5';
const CODING = 'Transfer-Encoding: chunked';
const ok = (fields: string, body = 'hello'): string => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n${body}`;

/** What a backend sends: `hello` in all cases. The connection is kept where the grammar has it. */
const LENIENT: Readonly<Record<string, string>> = {
  'bare LF in the whole head': `HTTP/1.1 200 OK\n${LENGTH}\n\nhello`,
  'bare LF behind one line': `HTTP/1.1 200 OK\r\nX-A: 1\n${LENGTH}\r\n\r\nhello`,
  'bare LF as the empty line': `HTTP/1.1 200 OK\r\n${LENGTH}\r\n\nhello`,
  'bare LF in a head and its chunks': `HTTP/1.1 200 OK\n${CODING}\n\n5\nhello\n0\n\n`,
  'bare LF behind a size': ok(CODING, '5\nhello\r\n0\r\n\r\n'),
  'bare LF behind a chunk': ok(CODING, '5\r\nhello\n0\r\n\r\n'),
  'bare LF behind the last chunk': ok(CODING, '5\r\nhello\r\n0\n\r\n'),
  'bare LF at the end': ok(CODING, '5\r\nhello\r\n0\r\n\n'),
  'bare LF in a trailer section': ok(CODING, '5\r\nhello\r\n0\r\nX-Sum: 1\n\n'),
  'spaces behind a size': ok(CODING, '5   \r\nhello\r\n0 \r\n\r\n'),
  'a tab and a bare LF behind a size': ok(CODING, '5\t\nhello\r\n0\r\n\r\n'),
  'the same length twice': ok(`${LENGTH}\r\n${LENGTH}`),
  'a list of the same length': ok('Content-Length: 5, 5'),
  'a list of the same length without a space': ok('Content-Length: 5,5'),
  'a tab before a length': ok('Content-Length:\t5'),
  'HTTP/1.0 with chunks': `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${CODING}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
};

const STRICT: Readonly<Record<string, string>> = {
  'a size with 19 zeros before it': ok(CODING, `${'0'.repeat(19)}5\r\nhello\r\n${'0'.repeat(20)}\r\n\r\n`),
  'an empty extension': ok(CODING, '5;\r\nhello\r\n0;\r\n\r\n'),
  'a space in an extension': ok(CODING, '5; a=b\r\nhello\r\n0; a\r\n\r\n'),
  'a space before an extension': ok(CODING, '5 ;a="b c"\r\nhello\r\n0\r\n\r\n'),
  'no reason': `HTTP/1.1 200 \r\n${LENGTH}\r\n\r\nhello`,
  'no reason, and no space before it': `HTTP/1.1 200\r\n${LENGTH}\r\n\r\nhello`,
};

const CASES = Object.entries({ ...LENIENT, ...STRICT });

/** Byte by byte, so that each is read for itself where the system has it so. */
async function writeSlowly(socket: Socket, text: string): Promise<void> {
  for (const byte of text) {
    socket.write(byte, 'latin1');
    await turn();
  }
}

for (const isCut of [false, true]) {
  test(`a response${isCut ? ', byte by byte,' : ''} with`, async (t) => {
    let connections = 0;
    const backend = await startRawBackend(t, (socket) => {
      connections++;
      socket.setNoDelay(true);
      socket.on('data', (head) => {
        const [, path = ''] = head.toString('latin1').split(' ');
        const answer = CASES[Number(path.slice(1))]?.[1] ?? '';
        if (isCut) void writeSlowly(socket, answer);
        else socket.write(answer, 'latin1');
      });
      socket.on('end', () => socket.end());
    });
    const { port } = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] }, config: H2C });
    const session = await openSession(t, port);
    for (const [index, [name]] of CASES.entries()) {
      await t.test(`${name} is taken`, async () => {
        const text = await send(port, `GET /${index} HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n`);
        assert.match(text, /^HTTP\/1\.1 200 /);
        const [head = ''] = text.split('\r\n\r\n', 1);
        assert.doesNotMatch(text, /(?<!\r)\n|\r(?!\n)/, 'every line that is sent on ends with CRLF');
        const lengths = head.match(/^content-length: .*$/gim) ?? [];
        assert.deepEqual(lengths, name.includes('length') || /^no|head$|line$/.test(name) ? [LENGTH] : []);
        // The full lane makes chunks of its own.
        assert.deepEqual(
          readAnswers(text, ['GET']).map(({ body }) => body),
          ['hello'],
        );

        const before = connections;
        const again = await request(session, { ':path': `/${index}` });
        assert.deepEqual([again.status, again.body, again.code], [200, 'hello', 0]);
        assert.equal(connections - before, name in LENIENT ? 1 : 0, 'connections made for the next request');
      });
    }
  });
}

const REQUEST = 'POST / HTTP/1.1\r\nHost: site.test\r\n';
const CHUNKED = `${REQUEST}${CODING}\r\n\r\n`;

/** The same liberties in requests. */
const BAD_REQUESTS: Readonly<Record<string, string>> = {
  'bare LF in the whole head': `POST / HTTP/1.1\nHost: site.test\n${LENGTH}\n\nhello`,
  'bare LF behind one line': `${REQUEST}X-A: 1\n${LENGTH}\r\n\r\nhello`,
  'bare LF as the empty line': `${REQUEST}${LENGTH}\r\n\nhello`,
  'bare LF behind a size': `${CHUNKED}5\nhello\r\n0\r\n\r\n`,
  'bare LF behind a chunk': `${CHUNKED}5\r\nhello\n0\r\n\r\n`,
  'spaces behind a size': `${CHUNKED}5  \r\nhello\r\n0\r\n\r\n`,
  'a tab behind a size': `${CHUNKED}5\t\r\nhello\r\n0\r\n\r\n`,
  'the same length twice': `${REQUEST}${LENGTH}\r\n${LENGTH}\r\n\r\nhello`,
  'a list of the same length': `${REQUEST}Content-Length: 5, 5\r\n\r\nhello`,
  'HTTP/1.0 with chunks': `POST / HTTP/1.0\r\nHost: site.test\r\n${CODING}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
};

test('a request with', async (t) => {
  const scene = await startScene(t);
  for (const [name, bytes] of Object.entries(BAD_REQUESTS)) {
    await t.test(`${name} is refused`, async () => {
      const answer = await send(scene.port, bytes);
      assert.equal(statusOf(answer), 400, answer.slice(0, 200));
      const received = scene.received();
      assert.ok(!received.includes('0\r\n\r\n'), 'no whole request reached the backend');
      await scene.isWell();
    });
  }
});
