import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { KeptBody } from '../../lib/proxy/kept-body.ts';
import { propertyRuns } from '../support/random.ts';

test('pieces of any size, asked for at any time, are kept whole and in order', () => {
  const size = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(1_023, 1_024, 4_095, 4_096, 9_000));
  fc.assert(
    fc.property(fc.array(fc.record({ size, isAsked: fc.boolean() }), { maxLength: 60 }), (pieces) => {
      const body = new KeptBody();
      const all: Buffer[] = [];
      for (const [i, { size: length, isAsked }] of pieces.entries()) {
        const piece = Buffer.alloc(length, i + 1);
        all.push(piece);
        body.add(piece);
        if (isAsked) assert.deepEqual(Buffer.concat(body.parts()), Buffer.concat(all));
      }
      assert.deepEqual(Buffer.concat(body.parts()), Buffer.concat(all));
    }),
    { seed: 1, numRuns: propertyRuns(200) },
  );
});

test('64 KiB in pieces of one byte are few parts', () => {
  const body = new KeptBody();
  for (let i = 0; i < 65_536; i++) body.add(Buffer.of(i));
  assert.equal(body.parts().length, 16);
});

test('a body of one small piece is kept as it came', () => {
  const body = new KeptBody();
  const piece = Buffer.from('abc');
  body.add(piece);
  assert.equal(body.parts()[0], piece);
});
