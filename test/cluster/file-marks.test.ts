import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileMarks } from '../../lib/cluster/master/file-marks.ts';
import type { ToWorker } from '../../lib/cluster/messages.ts';
import type { AskedMark } from '../../lib/store/file/asked-marks.ts';

const A: string = 'http://10.0.0.1';
const B: string = 'http://10.0.0.2';
const TTL = 30_000;
const NAME = { frontend: 'x.io', url: B };

/** Workers called by letters, and a clock. */
function scene(urls: readonly string[] = [A, B]) {
  let now = 1_000_000;
  const sent: (readonly [worker: string, message: ToWorker])[] = [];
  const workers = new Map(['a', 'b', 'c'].map((name) => [name, { name }]));
  const marks = new FileMarks<{ readonly name: string }>({
    tellAll: (message) => sent.push(['all', message]),
    tell: ({ name }, message) => sent.push([name, message]),
    now: () => now,
  });
  const worker = (name: string) => {
    const found = workers.get(name);
    assert.ok(found);
    return found;
  };
  const last = () => sent.at(-1)?.[1];
  return {
    marks,
    sent: () => sent.splice(0),
    pass: (ms: number) => (now += ms),
    /** A worker has found a backend dead. @returns how long it is dead, ms; null when it is the last living one */
    die: (how: Partial<AskedMark['trial']> = {}, { id = 1, url = B } = {}): number | null => {
      const mark = { frontend: 'x.io', site: 'x.io', id, url, until: now + TTL, trial: null };
      const entries = urls.map((href, at) => ({ id: at, href }));
      marks.add({ mark, entries, trial: { isAgain: false, ttlMs: TTL, ...how } }, worker('a'));
      const said = last();
      return said?.type === 'dead' ? said.mark.until - now : null;
    },
    take: (name: string, ms = 5_000): number => {
      marks.give({ ...NAME, ms }, worker(name));
      const [to, said] = sent.at(-1) ?? [];
      assert.equal(to, name);
      assert.ok(said?.type === 'trial-reply');
      return said.waitMs;
    },
    start: (name: string) => marks.sendAll(worker(name)),
  };
}

test('each failed trial doubles the time of a mark, to ten times', () => {
  const { die, pass } = scene();
  const times: (number | null)[] = [die()];
  for (let i = 0; i < 5; i++) {
    pass(times.at(-1) ?? 0);
    times.push(die({ isAgain: true }));
  }
  assert.deepEqual(
    times.map((ms) => (ms ?? 0) / TTL),
    [1, 2, 4, 8, 10, 10],
  );
});

test('a failure of a request that was sent before the mark shows nothing new', () => {
  const { die, pass, take } = scene();
  die();
  pass(10_000);
  assert.equal(die(), 20_000);
  assert.equal(die({ isAgain: true }), 20_000, 'no trial was due');
  pass(20_000);
  assert.equal(take('a'), 0);
  die();
  assert.equal(take('b'), 5_000, 'the trial goes on');
});

test('one worker of all has the right to a trial, until it has run out', () => {
  const { die, pass, take } = scene();
  assert.equal(take('a'), 1_000, 'there is no trial');
  die();
  assert.equal(take('a'), TTL, 'it is not due');
  pass(TTL);
  assert.equal(take('a'), 0);
  assert.equal(take('a', 20_000), 0, 'extended');
  assert.equal(take('b'), 20_000);
  pass(20_000);
  assert.equal(take('b'), 0);
  assert.equal(take('a'), 5_000);
});

test('a failed trial ends the right to it', () => {
  const { die, pass, take } = scene();
  die();
  pass(TTL);
  assert.equal(take('a', 60_000), 0);
  die({ isAgain: true });
  assert.equal(take('b'), 2 * TTL);
  pass(2 * TTL);
  assert.equal(take('b'), 0);
});

test('a passed trial removes the mark for all workers, and its record', () => {
  const { marks, die, pass, sent } = scene();
  die();
  pass(TTL);
  sent();
  marks.passed(NAME);
  assert.deepEqual(
    sent().map(([to, message]) => [to, message.type]),
    [['all', 'alive']],
  );
  marks.passed(NAME);
  assert.deepEqual(sent(), [], 'idempotent');
  assert.equal(die({ isAgain: true }), TTL, 'the first death again');
});

test('a backend on trial does not count as living: the other one is the last', () => {
  const { die, pass } = scene();
  die();
  pass(TTL + 1);
  assert.equal(die({}, { id: 0, url: A }), null);
});

test('a mark without a trial ends that of its backend, and what checks remove has no record any more', () => {
  const { marks, die, pass, take, sent } = scene();
  die();
  pass(TTL);
  const mark = { frontend: 'x.io', site: 'x.io', id: 1, url: B, until: 1_000_000 + 3 * TTL, trial: null };
  marks.add({ mark, entries: [A, B].map((href, id) => ({ id, href })), trial: null }, { name: 'a' });
  assert.equal(take('a'), 1_000);
  marks.passed(NAME);
  sent();
  marks.remove(mark);
  assert.deepEqual(
    sent().map(([, message]) => message.type),
    ['alive'],
  );
});

test('a backend without a trial lives again after ten times its time', () => {
  const { die, pass, take, start, sent } = scene();
  die();
  pass(11 * TTL - 1);
  assert.equal(take('a'), 0);
  start('b');
  assert.equal(sent().filter(([to, { type }]) => to === 'b' && type === 'dead').length, 1);
  pass(1);
  assert.equal(take('a'), 1_000);
  sent();
  start('c');
  assert.deepEqual(sent(), []);
});

test('a URL that is at two positions has one trial, and passes it at both', () => {
  const { marks, die, pass, take, sent } = scene([B, B, A]);
  die();
  pass(10_000);
  assert.equal(die({}, { id: 0 }), 20_000, 'of the death that is known');
  pass(20_000);
  assert.equal(take('a'), 0);
  assert.equal(take('b'), 5_000);
  sent();
  marks.passed(NAME);
  assert.deepEqual(
    sent().map(([, { type }]) => type),
    ['alive', 'alive'],
  );
});

test('workers that start get the marks, those of backends on trial, and the backends that have passed a check', () => {
  const { marks, die, pass, start, sent } = scene();
  die();
  pass(TTL + 1);
  marks.setChecked('x.io', [A]);
  marks.setChecked('y.io', [A]);
  marks.setChecked('y.io', null);
  sent();
  start('b');
  assert.deepEqual(
    sent().map(([to, message]) => [to, message.type]),
    [
      ['b', 'dead'],
      ['b', 'checked'],
    ],
  );
  start('b');
  assert.deepEqual(sent(), []);
});
