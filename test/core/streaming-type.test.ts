import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStreamingType } from '../../lib/core/http/streaming-type.ts';

test('event streams and gRPC are recognised, with parameters and suffixes, in any case', () => {
  for (const type of [
    'text/event-stream',
    'Text/Event-Stream; charset=utf-8',
    'application/grpc',
    'application/grpc+proto',
    'application/grpc-web-text+proto ; a=b',
  ]) {
    assert.equal(isStreamingType(type), true, type);
  }
  for (const type of [
    undefined,
    '',
    'text/event-streams',
    'application/grpcx',
    'application/json',
    'x text/event-stream',
  ]) {
    assert.equal(isStreamingType(type), false, String(type));
  }
});
