import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResponseRelay } from '../../lib/fastlane/response-relay.ts';
import type { OwnedConnection } from '../../lib/fastlane/connection-owner.ts';
import type { LaneShared } from '../../lib/fastlane/shared.ts';

test('bytes of which none is passed on keep nobody waiting for a client that has taken the rest', () => {
  let takesMore = true;
  const output = { write: () => takesMore };
  const client = { output, writer: { peer: { isHttp2: false } } } as unknown as OwnedConnection;
  const shared = { parts: { isDraining: () => false }, keepLines: '\r\n', dateLine: () => '' } as unknown as LaneShared;
  const relay = new ResponseRelay(client, shared);
  relay.start(false, false);
  const read = (text: string) => [relay.onBytes(Buffer.from(text)), relay.isBlocked];
  assert.deepEqual(read('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), ['body', false]);
  takesMore = false;
  assert.deepEqual(read('3\r\nabc\r\n0\r\nX'), ['body', true]);
  // It has drained; of a trailer section nothing is passed on before it is whole.
  takesMore = true;
  assert.deepEqual(read('-Sum: '), ['body', false]);
  assert.deepEqual(read('1\r\n\r\n'), ['whole', false]);
});
