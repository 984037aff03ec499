/** Any frames, cut anywhere: legal ones are served, illegal ones end at most their own connection. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { HEAD_ROOM, HpackEncoder } from '../../lib/http2/hpack/encoder.ts';
import { FrameClient } from '../support/frame-cases.ts';
import {
  asking,
  continuation,
  data,
  type Fields,
  headers,
  ping,
  priority,
  reset,
  settings,
  windowUpdate,
} from '../support/frames.ts';
import { END_HEADERS, END_STREAM, FRAME, frame, PADDED } from '../support/http2.ts';
import { propertyRuns } from '../support/random.ts';
import { LARGE, shareFrameScene } from './frame-scene.ts';

/** `HIPACHE_PROPERTY_RUNS=20 npm test -- h2-random` for a long look. */
const RUNS = propertyRuns(60);

const start = shareFrameScene();

/** One request, and how its frames are cut. */
const request = fc.record({
  path: fc.constantFrom('/', '/a', '/large'),
  body: fc.array(fc.string({ unit: 'binary-ascii', maxLength: 50 }), { maxLength: 4 }),
  hasTrailers: fc.boolean(),
  hasLength: fc.boolean(),
  isPadded: fc.boolean(),
  /** Where the field block is cut. */
  blockCuts: fc.array(fc.nat(60), { maxLength: 3 }),
});
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

/** Frames that may come anywhere between others, outside of field blocks. */
const extra = fc.constantFrom(
  ping(),
  settings(),
  settings([1, 0]),
  settings([1, 100], [4, 2 * LARGE]),
  windowUpdate(0, 1000),
  priority(9),
  frame(0xee, 0xff, 5, Buffer.from('unknown')),
);

/** The frames of a request. The field block, which nothing may interrupt, is one item. */
function framesOf(stream: number, each: Request, encoder: HpackEncoder): Buffer[] {
  const bodyLength = each.body.join('').length;
  const hasBody = each.body.length > 0 || each.hasTrailers;
  const more: Fields = [
    ['vary', 'a'],
    ['server', each.path],
    ...(each.hasLength ? [['content-length', String(bodyLength)] as const] : []),
  ];
  const block = encode(encoder, asking(each.path, 'POST', more));
  const cuts = [0, ...each.blockCuts.map((at) => Math.min(at, block.length)).toSorted((a, b) => a - b), block.length];
  const parts = cuts.slice(1).map((end, i) => block.subarray(cuts[i], end));
  const head = parts.map((part, i) => {
    const flags = i === parts.length - 1 ? END_HEADERS : 0;
    return i === 0 ? headers(stream, part, flags | (hasBody ? 0 : END_STREAM)) : continuation(stream, part, flags);
  });
  const body = each.body.map((text, i) => {
    const isLast = i === each.body.length - 1 && !each.hasTrailers;
    const flags = isLast ? END_STREAM : 0;
    if (!each.isPadded) return data(stream, text, flags);
    return frame(
      FRAME.data,
      flags | PADDED,
      stream,
      Buffer.concat([Buffer.from([7]), Buffer.from(text, 'latin1'), Buffer.alloc(7)]),
    );
  });
  // Without the table: the trailers of one request may come before or after the head of another.
  const trailers = each.hasTrailers ? [headers(stream, [['x-sum', '1']])] : [];
  return [Buffer.concat(head), ...body, ...trailers];
}

function encode(encoder: HpackEncoder, fields: Fields): Buffer {
  const into = Buffer.alloc(HEAD_ROOM + 1000);
  let at = encoder.begin(into, 0);
  for (const [name, value] of fields) at = encoder.field(into, at, name, value);
  return into.subarray(0, at);
}

/** Mixes lists, each of which keeps its order. */
function mixed<T>(lists: readonly (readonly T[])[], picks: readonly number[]): T[] {
  const left = lists.map((list) => [...list]);
  const all: T[] = [];
  for (let i = 0; left.some((list) => list.length > 0); i++) {
    const open = left.filter((list) => list.length > 0);
    all.push(open[(picks[i % picks.length] ?? 0) % open.length]?.shift() as T);
  }
  return all;
}

/** Writes bytes in parts of these lengths, and the rest at once. */
async function writeCut(client: FrameClient, bytes: Buffer, lengths: readonly number[]): Promise<void> {
  // By then the client has acknowledged the router's settings: that would be cut in between.
  await client.isRead();
  let at = 0;
  for (const length of lengths) {
    if (at >= bytes.length || !client.socket.writable) break;
    client.send(bytes.subarray(at, at + length));
    at += length;
    await new Promise(setImmediate);
  }
  client.send(bytes.subarray(at));
}

const picks = fc.array(fc.nat(20), { minLength: 1, maxLength: 40 });
const lengths = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 15 });

const requests = fc.array(request, { minLength: 1, maxLength: 8 });
const extras = fc.array(extra, { maxLength: 6 });

/** The frames of requests: heads in the order of their streams, everything else in any order that is legal. */
function legalFrames(asked: readonly Request[], between: readonly Buffer[], order: readonly number[]): Buffer[] {
  const encoder = new HpackEncoder();
  const all = asked.map((each, i) => framesOf(2 * i + 1, each, encoder));
  const half = Math.ceil(all.length / 2);
  // Bodies of the first half may come between the heads of the second.
  const heads = all.map(([head = Buffer.alloc(0)]) => head);
  const rests = all.map(([, ...rest]) => rest);
  return [
    ...mixed([heads.slice(0, half), between], order),
    ...mixed([heads.slice(half), ...rests.slice(0, half), between], order),
    ...mixed(rests.slice(half), order),
  ];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

test('legal frames of any requests, mixed and cut anywhere, get every response', async (t) => {
  const { port, requests: received } = await start();
  await fc.assert(
    fc.asyncProperty(requests, extras, picks, lengths, async (asked, between, order, cuts) => {
      received();
      const client = await FrameClient.connect(t, port);
      client.socket.setNoDelay(true);
      client.send(windowUpdate(0, 8 * LARGE), settings([4, LARGE]));
      await writeCut(client, Buffer.concat(legalFrames(asked, between, order)), cuts);
      for (const [i, { path }] of asked.entries()) {
        const { status, body } = await client.response(2 * i + 1);
        assert.deepEqual([status, body.length], [200, path === '/large' ? LARGE : 2]);
      }
      await client.isWell();
      client.socket.destroy();
      const seen = received().filter(({ method }) => method === 'POST');
      const sent = asked.map(({ path, body, hasTrailers, hasLength }) => {
        return JSON.stringify([path, body.join(''), hasTrailers && !hasLength]);
      });
      assert.deepEqual(
        seen.map(({ target, body, trailers }) => JSON.stringify([target, body, trailers.length > 0])).toSorted(compare),
        sent.toSorted(compare),
      );
    }),
    { numRuns: RUNS, includeErrorInReport: true },
  );
});

const illegal = fc.oneof(
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(fc.nat(11), fc.nat(255), fc.constantFrom(0, 1, 2, 3, 5, 99), fc.uint8Array({ maxLength: 20 }))
    .map(([type, flags, stream, payload]) => frame(type, flags, stream, Buffer.from(payload))),
  fc.constantFrom(
    reset(1),
    reset(3),
    data(1, 'a'),
    headers(1, asking('/hold')),
    frame(FRAME.goaway, 0, 0, Buffer.alloc(8)),
  ),
);
const change = fc.record({ at: fc.nat(), kind: fc.constantFrom('flip', 'remove', 'double', 'insert'), what: illegal });
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(bytes: Buffer, { at, kind, what }: Change): Buffer {
  const i = at % (bytes.length + 1);
  const [before, after] = [bytes.subarray(0, i), bytes.subarray(i)];
  switch (kind) {
    case 'flip':
      return Buffer.concat([before, Buffer.from(after.subarray(0, 1)).fill(at & 0xff), after.subarray(1)]);
    case 'remove':
      return Buffer.concat([before, after.subarray(1 + (at % 20))]);
    case 'double':
      return Buffer.concat([before, after.subarray(0, at % 40), after]);
    case 'insert':
      return Buffer.concat([before, what, after]);
  }
}

test('frames with errors in them, cut anywhere, end their connection; the next one is served', async (t) => {
  const { port, router } = await start();
  // Whatever frame is incomplete, these bytes end it, and then are one of stream 0 that must not be.
  const end = Buffer.alloc(40_000);
  await fc.assert(
    fc.asyncProperty(
      requests,
      extras,
      fc.array(illegal, { maxLength: 4 }),
      fc.array(change, { maxLength: 4 }),
      picks,
      lengths,
      async (asked, between, wrong, changes, order, cuts) => {
        const frames = legalFrames(asked, [...between, ...wrong], order);
        const bytes = changes.reduce(changed, Buffer.concat(frames));
        const client = await FrameClient.connect(t, port);
        client.socket.setNoDelay(true);
        await writeCut(client, Buffer.concat([bytes, end]), cuts);
        await client.isClosed();
        const next = await FrameClient.connect(t, port);
        await next.isWell();
        next.socket.destroy();
      },
    ),
    { numRuns: RUNS, includeErrorInReport: true },
  );
  assert.deepEqual(
    router.log.filter(({ event }) => event === 'worker-died' || event === 'worker-stuck'),
    [],
  );
});
