import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redirectionOf, slotMapOf, slotOf, slotOfCommand } from '../../lib/store/redis-client/slots.ts';

test('a key has the slot that the specification says', () => {
  // CRC16("123456789") is 0x31c3: the check value of CRC-16/XMODEM, as in the cluster specification.
  assert.equal(slotOf('123456789'), 0x31c3 % 16_384);
  assert.equal(slotOf(''), 0);
  assert.equal(slotOf('foo'), 12_182);
});

test('of a key with braces, what they hold counts, unless they hold nothing', () => {
  assert.equal(slotOf('{foo}frontend:x'), slotOf('foo'));
  assert.equal(slotOf('a{foo}{bar}'), slotOf('foo'));
  assert.notEqual(slotOf('{}foo'), slotOf('foo'));
  assert.equal(slotOf('foo{{bar}}zap'), slotOf('{bar'));
});

test('a command is for the node of its key; some are for any', () => {
  assert.equal(slotOfCommand(['lrange', 'foo', '0', '1']), slotOf('foo'));
  assert.equal(slotOfCommand(['eval', 'return 1', '1', 'foo', 'x']), slotOf('foo'));
  assert.equal(slotOfCommand(['publish', 'dead', 'x']), null);
  assert.equal(slotOfCommand(['ping']), null);
});

test('CLUSTER SLOTS is read, and what is none is not', () => {
  const reply = [
    [0, 5, ['10.0.0.1', 7000, 'id', []], ['10.0.0.2', 7001, 'id']],
    [6, 16_383, [null, 7002, 'id']],
    [7, 8, ['?', 7003, 'id']],
  ];
  assert.deepEqual(slotMapOf(reply, 'asked'), {
    ranges: [
      { from: 0, to: 5, master: { host: '10.0.0.1', port: 7000 } },
      { from: 6, to: 16_383, master: { host: 'asked', port: 7002 } },
    ],
    replicas: [{ host: '10.0.0.2', port: 7001 }],
  });
  for (const odd of [null, [], 'OK', [[0]], [[0, 99_999, ['h', 1]]], [[0, 1, 'h']]]) {
    assert.equal(slotMapOf(odd, 'asked'), null);
  }
});

const say = (message: string) => redirectionOf(new Error(message), 'asked');

test('MOVED and ASK say where else; other errors do not', () => {
  assert.deepEqual(say('MOVED 12 10.0.0.1:7000'), { slot: 12, to: { host: '10.0.0.1', port: 7000 }, isForOnce: false });
  assert.deepEqual(say('ASK 12 ::1:7000'), { slot: 12, to: { host: '::1', port: 7000 }, isForOnce: true });
  assert.deepEqual(say('MOVED 12 :7000')?.to, { host: 'asked', port: 7000 });
  for (const odd of ['MOVED 12 ?:7000', 'MOVED 99999 h:1', 'ERR MOVED 1 h:1', 'CLUSTERDOWN Hash slot not served']) {
    assert.equal(say(odd), null);
  }
});
