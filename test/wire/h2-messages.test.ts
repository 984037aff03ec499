/** HTTP messages in HTTP/2's frames: what is malformed (RFC 9113 §8). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BAD,
  connectionError,
  type FrameCase,
  FrameClient,
  type Outcome,
  response,
  streamError,
  testCases,
} from '../support/frame-cases.ts';
import { asking, CODE, data, type Fields, headers } from '../support/frames.ts';
import { END_HEADERS, END_STREAM } from '../support/http2.ts';
import { valuesOf } from '../support/wire.ts';
import { shareFrameScene } from './frame-scene.ts';

const start = shareFrameScene();

const malformed: Outcome = streamError(1, CODE.protocol);
const bad = asking(BAD);
const without = (name: string): Fields => bad.filter(([each]) => each !== name);
const having = (name: string, value: string): Fields => bad.map(([each, old]) => [each, each === name ? value : old]);
const get = (fields: Fields): Buffer[] => [headers(1, fields)];
const post = (path: string, ...more: Fields): Buffer => headers(1, asking(path, 'POST', more), END_HEADERS);
const open = post(BAD);

const CASES: readonly FrameCase[] = [
  ['a GET is answered', 'RFC 9113 §8.1', get(asking('/')), response(1)],
  ['a HEAD is answered', '§8.1', get(asking('/', 'HEAD')), response(1)],
  ['a POST is answered', '§8.1', [post('/'), data(1, 'abc')], response(1)],
  [
    'a POST with trailers is answered',
    '§8.1',
    [post('/'), data(1, 'abc', 0), headers(1, [['x-sum', '1']])],
    response(1),
  ],
  ['a POST with trailers and no DATA is answered', '§8.1', [post('/'), headers(1, [['x-sum', '1']])], response(1)],
  [
    'a second HEADERS without END_STREAM is malformed',
    '§8.1',
    [open, headers(1, [['x-sum', '1']], END_HEADERS)],
    malformed,
  ],
  [
    'DATA after trailers is an error',
    '§8.1',
    [post('/hold'), headers(1, [['x-sum', '1']]), data(1, 'a')],
    streamError(1, CODE.streamClosed),
    connectionError(CODE.streamClosed),
  ],

  ['an uppercase name is malformed', '§8.2.1', get([...bad, ['X-Test', 'a']]), malformed],
  ['an uppercase name in trailers is malformed', '§8.2.1', [open, headers(1, [['X-Sum', '1']])], malformed],
  ['an empty name is malformed', '§8.2.1', get([...bad, ['', 'a']]), malformed],
  ['a name with a space is malformed', '§8.2.1', get([...bad, ['x a', 'a']]), malformed],
  ['a name with a colon within is malformed', '§8.2.1', get([...bad, ['x:a', 'a']]), malformed],
  ['a name with a byte above 127 is malformed', '§8.2.1', get([...bad, ['x-\xe9', 'a']]), malformed],
  ['a value with CR LF is malformed', '§8.2.1', get([...bad, ['x-a', 'a\r\nhost: b']]), malformed],
  ['a value with NUL is malformed', '§8.2.1', get([...bad, ['x-a', 'a\0b']]), malformed],
  ['a value with a space at its begin is malformed', '§8.2.1', get([...bad, ['x-a', ' a']]), malformed],
  ['a value with a tab at its end is malformed', '§8.2.1', get([...bad, ['x-a', 'a\t']]), malformed],
  ['a value with LF in trailers is malformed', '§8.2.1', [open, headers(1, [['x-sum', '1\n']])], malformed],

  ['Connection is malformed', '§8.2.2', get([...bad, ['connection', 'keep-alive']]), malformed],
  ['Transfer-Encoding is malformed', '§8.2.2', get([...bad, ['transfer-encoding', 'chunked']]), malformed],
  ['Upgrade is malformed', '§8.2.2', get([...bad, ['upgrade', 'h2c']]), malformed],
  ['Keep-Alive is malformed', '§8.2.2', get([...bad, ['keep-alive', '5']]), malformed],
  ['Proxy-Connection is malformed', '§8.2.2', get([...bad, ['proxy-connection', 'close']]), malformed],
  ['TE of gzip is malformed', '§8.2.2', get([...bad, ['te', 'trailers, deflate;q=0.5']]), malformed],
  ['TE of trailers is accepted', '§8.2.2', get(asking('/', 'GET', [['te', 'trailers']])), response(1)],

  ['an unknown pseudo-header field is malformed', '§8.3', get([[':test', 'a'], ...bad]), malformed],
  ['a pseudo-header field of responses is malformed', '§8.3', get([...bad, [':status', '200']]), malformed],
  ['a pseudo-header field in trailers is malformed', '§8.3', [open, headers(1, [[':method', 'GET']])], malformed],
  ['a pseudo-header field behind others is malformed', '§8.3', get([['x-a', 'a'], ...bad]), malformed],
  ['an empty :path is malformed', '§8.3.1', get(having(':path', '')), malformed],
  ['a :path that is no path is malformed', '§8.3.1', get(having(':path', 'bad')), malformed],
  ['a :path of * is malformed but for OPTIONS', '§8.3.1', get(having(':path', '*')), malformed],
  ['a request without :method is malformed', '§8.3.1', get(without(':method')), malformed],
  ['a request without :scheme is malformed', '§8.3.1', get(without(':scheme')), malformed],
  ['a request without :path is malformed', '§8.3.1', get(without(':path')), malformed],
  ['an empty :method is malformed', '§8.3.1', get(having(':method', '')), malformed],
  ['a :method with a space is malformed', '§8.3.1', get(having(':method', 'GET /')), malformed],
  ...[':method', ':scheme', ':path', ':authority'].map((name): FrameCase => {
    return [
      `two ${name} are malformed`,
      '§8.3',
      get([bad.find(([each]) => each === name) ?? ['', ''], ...bad]),
      malformed,
    ];
  }),
  ['CONNECT with a :path is malformed', '§8.5', get(having(':method', 'CONNECT')), malformed],
  ['CONNECT without :authority is malformed', '§8.5', get([[':method', 'CONNECT']]), malformed],
  [
    'an extended CONNECT without :path is malformed',
    'RFC 8441 §4',
    get([
      [':method', 'CONNECT'],
      [':protocol', 'websocket'],
      [':scheme', 'http'],
      [':authority', 'site.test'],
    ]),
    malformed,
  ],
  [':protocol of a GET is malformed', 'RFC 8441 §4', get([[':protocol', 'websocket'], ...bad]), malformed],

  [
    'less DATA than Content-Length is malformed',
    '§8.1.1',
    [post(BAD, ['content-length', '4']), data(1, 'abc')],
    malformed,
  ],
  [
    'more DATA than Content-Length is malformed',
    '§8.1.1',
    [post(BAD, ['content-length', '2']), data(1, 'abc')],
    malformed,
    connectionError(CODE.protocol),
  ],
  [
    'less DATA than Content-Length in several frames is malformed',
    '§8.1.1',
    [post(BAD, ['content-length', '9']), data(1, 'abc', 0), data(1, 'def', 0), data(1, '')],
    malformed,
  ],
  [
    'less DATA than Content-Length before trailers is malformed',
    '§8.1.1',
    [post(BAD, ['content-length', '4']), data(1, 'abc', 0), headers(1, [['x-sum', '1']])],
    malformed,
  ],
  ['a Content-Length without DATA is malformed', '§8.1.1', get([...bad, ['content-length', '1']]), malformed],
  [
    'a Content-Length of 0 without DATA is accepted',
    '§8.1.1',
    get(asking('/', 'POST', [['content-length', '0']])),
    response(1),
  ],
  [
    'a Content-Length that is the length of all DATA is accepted',
    '§8.1.1',
    [post('/', ['content-length', '6']), data(1, 'abc', 0), data(1, '', 0), data(1, 'def')],
    response(1),
  ],
  [
    'two Content-Lengths are malformed',
    '§8.1.1',
    [post(BAD, ['content-length', '3'], ['content-length', '4']), data(1, 'abc')],
    malformed,
  ],
  [
    'a Content-Length that is no number is malformed',
    '§8.1.1',
    [post(BAD, ['content-length', '+3']), data(1, 'abc')],
    malformed,
  ],
  [
    'a Content-Length above all numbers is malformed',
    '§8.1.1',
    [post(BAD, ['content-length', '9'.repeat(30)]), data(1, 'abc')],
    malformed,
  ],
];

testCases(start, CASES);

test('OPTIONS * and a path with any bytes that a URI has are forwarded as they are', async (t) => {
  const scene = await start();
  const client = await FrameClient.connect(t, scene.port);
  client.send(headers(1, asking('*', 'OPTIONS')), headers(3, asking('/a%20b;c?d=e&f=%C3%A9')));
  await client.response(1);
  await client.response(3);
  const targets = scene.requests().map(({ target }) => target);
  assert.ok(targets.includes('/a%20b;c?d=e&f=%C3%A9'));
});

test('cookies in several fields are one (§8.2.3)', async (t) => {
  const scene = await start();
  const client = await FrameClient.connect(t, scene.port);
  const crumbs: Fields = [
    ['cookie', 'a=b'],
    ['x-a', '1'],
    ['cookie', 'c=d'],
    ['cookie', 'e=f'],
  ];
  client.send(headers(1, asking('/', 'GET', crumbs)));
  assert.equal((await client.response(1)).status, 200);
  const [seen] = scene.requests();
  assert.ok(seen);
  assert.deepEqual(valuesOf(seen, 'cookie'), ['a=b; c=d; e=f']);
});

test('a request with a body is forwarded while it comes, with its trailers (§8.1)', async (t) => {
  const scene = await start();
  const client = await FrameClient.connect(t, scene.port);
  client.send(headers(1, asking('/', 'POST'), END_HEADERS), data(1, 'abc', 0));
  await client.isRead();
  client.send(data(1, 'def', 0), headers(1, [['x-sum', '42']], END_STREAM | END_HEADERS));
  assert.equal((await client.response(1)).status, 200);
  const [seen] = scene.requests();
  assert.equal(seen?.body, 'abcdef');
  assert.deepEqual(seen.trailers, [['x-sum', '42']]);
});
