import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FloodError, Floods } from '../../../lib/http2/frames/floods.ts';
import { CODE, read31, read32, write32 } from '../../../lib/http2/frames/frames.ts';
import { readSettings, SETTING, writeSettings } from '../../../lib/http2/frames/settings.ts';
import { ReceiveWindow, SendWindow } from '../../../lib/http2/frames/windows.ts';

test('a send window may be negative, and never beyond 2^31-1', () => {
  const window = new SendWindow(10);
  assert.ok(window.grow(-30));
  assert.equal(window.available, -20);
  assert.ok(window.grow(2 ** 31 - 1));
  assert.ok(!window.grow(21));
});

test('a receive window takes what it has, and opens when half of it was read', () => {
  const window = new ReceiveWindow(100);
  assert.ok(window.receive(100));
  assert.equal(window.take(49), 0);
  assert.equal(window.take(1), 50);
  assert.ok(window.receive(50));
  assert.ok(!window.receive(1));
});

/** The payload of a SETTINGS frame. */
function payload(...settings: readonly (readonly [number, number])[]): Buffer {
  const bytes = Buffer.alloc(200);
  return bytes.subarray(9, writeSettings(bytes, 0, settings));
}

test('settings are read as they are written, the last value of each', () => {
  const bytes = payload(
    [SETTING.headerTableSize, 0],
    [SETTING.headerTableSize, 100],
    [SETTING.initialWindowSize, 5],
    [99, 1],
  );
  assert.deepEqual(readSettings(bytes, 0, bytes.length), {
    headerTableSize: 100,
    lowestTableSize: 0,
    initialWindowSize: 5,
  });
});

for (const [code, id, value] of [
  [CODE.flowControl, SETTING.initialWindowSize, 2 ** 31],
  [CODE.protocol, SETTING.maxFrameSize, 16_383],
  [CODE.protocol, SETTING.maxFrameSize, 2 ** 24],
  [CODE.protocol, SETTING.enablePush, 2],
  [CODE.protocol, SETTING.enableConnectProtocol, 2],
] as const) {
  test(`the setting ${id} of ${value} ends the connection`, () => {
    const bytes = payload([id, value]);
    assert.throws(() => readSettings(bytes, 0, bytes.length), { name: 'ConnectionError', code });
  });
}

test('half a setting ends the connection', () => {
  assert.throws(() => readSettings(Buffer.alloc(7), 0, 7), { code: CODE.frameSize });
});

test('numbers of 31 and 32 bits are read as they are written', () => {
  const bytes = Buffer.alloc(4);
  for (const value of [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
    write32(bytes, 0, value);
    assert.equal(read32(bytes, 0), value);
    assert.equal(read31(bytes, 0), value % 2 ** 31);
  }
});

test('a burst is allowed, then a rate, and each kind has its own', () => {
  let now = 0;
  const floods = new Floods(() => now);
  const many = (count: number): void => {
    for (let i = 0; i < count; i++) floods.count('settings');
  };
  many(50);
  assert.throws(
    () => floods.count('settings'),
    (error) => error instanceof FloodError && error.kind === 'settings',
  );
  floods.count('ping');
  now += 2_000;
  many(9);
  assert.throws(() => many(2), { code: CODE.calm });
});
