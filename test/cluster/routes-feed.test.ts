import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoutesFeed } from '../../lib/cluster/master/routes-feed.ts';
import { Joiner, type Piece } from '../../lib/store/file/pieces.ts';

/** Three pieces, the last a small one. */
const BYTES = 600_000;

test('a worker is sent the next piece when it asks for it, and never two at a time', () => {
  const { feed, sent } = scene(image(1));
  for (const pieces of [1, 2, 3]) {
    feed.want('a');
    assert.equal(sent.length, pieces);
  }
  assert.deepEqual(
    sent.map(({ piece }) => [piece.at, piece.of]),
    [
      [0, BYTES],
      [262_144, BYTES],
      [524_288, BYTES],
    ],
  );
  feed.want('a');
  assert.equal(sent.length, 3, 'it waits for news');
  feed.replace(image(2));
  assert.equal(sent.length, 4);
  assert.deepEqual([sent[3]?.piece.at, sent[3]?.piece.bytes[0]], [0, 2]);
});

test('a worker that starts late is given all, as others are', () => {
  const { feed, ask } = scene(image(1));
  assert.deepEqual(ask('a'), image(1));
  feed.replace(image(2));
  assert.deepEqual(ask('b'), image(2));
  assert.deepEqual(ask('a'), image(2));
});

test('edits in the middle: what was begun comes to its end, then the newest comes', () => {
  const { feed, sent, ask } = scene(image(1));
  feed.want('a');
  for (const change of [2, 3, 4]) feed.replace(image(change));
  assert.equal(sent.length, 1);
  assert.deepEqual(ask('a'), image(1));
  assert.deepEqual(ask('a'), image(4));
});

test('a worker that was forgotten is sent nothing; one that says nothing is sent one piece', () => {
  const { feed, sent } = scene(image(1));
  feed.want('silent');
  for (let i = 0; i < 4; i++) feed.want('gone');
  feed.forget('gone');
  feed.replace(image(2));
  feed.replace(image(3));
  assert.deepEqual(
    sent.map(({ to }) => to),
    ['silent', 'gone', 'gone', 'gone'],
  );
});

function image(content: number): Uint8Array {
  return new Uint8Array(BYTES).fill(content);
}

/** A feed of which is known what it sent, and workers that take what they are sent. */
function scene(first: Uint8Array) {
  const sent: { readonly to: string; readonly piece: Piece }[] = [];
  const joiners = new Map<string, Joiner>();
  const feed = new RoutesFeed<string>(first, (to, piece) => sent.push({ to, piece }));
  const taken = new Map<string, number>();
  /** What a worker has when it has asked until it had the whole of an image. */
  const ask = (worker: string): Uint8Array => {
    const joiner = joiners.get(worker) ?? new Joiner();
    joiners.set(worker, joiner);
    for (;;) {
      const count = taken.get(worker) ?? 0;
      const next = sent.filter(({ to }) => to === worker)[count];
      if (next === undefined) feed.want(worker);
      else {
        taken.set(worker, count + 1);
        const whole = joiner.add(next.piece);
        if (whole !== null) return whole;
      }
    }
  };
  return { feed, sent, ask };
}
