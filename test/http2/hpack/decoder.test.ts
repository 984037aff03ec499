import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { HpackDecoder, type HpackFault } from '../../../lib/http2/hpack/decoder.ts';
import { propertyRuns } from '../../support/random.ts';
import { addition, bytesOf, fieldsOf, linesOf, listOf } from './blocks.ts';

const NUM_RUNS = propertyRuns(2_000);

/** Blocks in which an error is the last thing, after blocks that are valid. */
const FAULTS: readonly (readonly [name: string, fault: HpackFault, ...blocks: string[]])[] = [
  ['index 0', 'index', '80'],
  ['an index behind the static table, with an empty dynamic table', 'index', 'be'],
  ['an index behind the dynamic table', 'index', '4001 6101 62', 'be', 'bf'],
  ['the index of an entry that was evicted', 'index', '4001 6101 62', '20 3fe11f', 'be'],
  ['a name of an index behind the table', 'index', '7e 0161'],
  ['a name of an index behind the table, without indexing', 'index', '0f2f 0161'],
  ['a name of an index behind the table, never indexed', 'index', '1f2f 0161'],
  ['an index that is cut', 'integer', 'ff'],
  ['an index that is cut within its bytes', 'integer', 'ff80'],
  ['an index of too many bytes', 'integer', 'ff8080808000'],
  ['an index above 2^31', 'integer', 'ffffffffff7f'],
  ['an index of 2^64', 'integer', 'ff81ffffffffffffffff01'],
  ['a large index', 'index', 'ffffffff7f'],
  ['a name whose length is cut', 'integer', '007f'],
  ['a name that is cut', 'string', '0002 61'],
  ['a literal without its value', 'string', '0001 61'],
  ['a value that is cut', 'string', '0001 6102 62'],
  ['a value whose length is too long', 'integer', '0001 617f8080808000'],
  ['a value of 256 MiB', 'string', '0001 617fffffff7f 61'],
  ['an indexed name without a value', 'string', '41'],
  ['a literal that is only its first byte', 'string', '40'],
  ['a Huffman text with eight bits of padding', 'huffman', '0001 6181 ff'],
  ['a Huffman text with a padding of zeros', 'huffman', '0001 6181 18'],
  ['a Huffman text with the end of the string', 'huffman', '0001 6184 ffff ffff'],
  ['a Huffman name with eight bits of padding', 'huffman', '0082 1fff 0161'],
  ['a table above our limit', 'table size', '3fe21f'],
  ['a table of 2^31 bytes', 'integer', '3fe1ffffff7f'],
  ['a table size that is cut', 'integer', '3f'],
  ['an update of the table after a field', 'table size', '82 20'],
  ['three updates of the table', 'table size', '20 3fe11f 20'],
];

for (const [name, fault, ...blocks] of FAULTS) {
  test(`${name} is an error`, () => {
    const decoder = new HpackDecoder(4096);
    const last = bytesOf(blocks.at(-1) ?? '');
    for (const block of blocks.slice(0, -1)) listOf(decoder, block);
    assert.equal(decoder.decode(last, 0, last.length, 65_536), null);
    assert.equal(decoder.fault, fault);
  });
}

test('a block is read from where it begins to where it ends, and no byte around it', () => {
  const decoder = new HpackDecoder(4096);
  const bytes = bytesOf('ffff 8286 ffff');
  assert.deepEqual(linesOf(decoder.decode(bytes, 2, 4, 1000)?.fields ?? []), [':method GET', ':scheme http']);
  assert.deepEqual(decoder.decode(bytes, 3, 3, 1000)?.fields, []);
  const cut = bytesOf('0001 6102 6263');
  assert.equal(decoder.decode(cut, 0, 5, 1000), null);
});

test('what a lowered limit allows must be announced in the next block', () => {
  const decoder = new HpackDecoder(100);
  listOf(decoder, '4001 6101 62');
  assert.equal(decoder.tableBytes, 34);
  decoder.settingsAcknowledged();
  const without = bytesOf('82');
  assert.equal(decoder.decode(without, 0, 1, 1000), null);
  assert.equal(decoder.fault, 'table size');

  const other = new HpackDecoder(100);
  other.settingsAcknowledged();
  assert.deepEqual(fieldsOf(other, '3f45 82'), [':method GET'], 'an update to 100');
  assert.deepEqual(fieldsOf(other, '82'), [':method GET']);
  const above = bytesOf('3f46');
  assert.equal(other.decode(above, 0, 2, 1000), null, 'an update to 101');
});

test('a limit above the initial size is used only after an update', () => {
  const decoder = new HpackDecoder(8192);
  decoder.settingsAcknowledged();
  assert.deepEqual(fieldsOf(decoder, '82'), [':method GET']);
  const entry = addition('a', 'b'.repeat(5000 - 33));
  listOf(decoder, entry);
  assert.equal(decoder.tableBytes, 0, 'too large for 4096 bytes');
  listOf(decoder, Buffer.concat([bytesOf('3fe13f'), entry]));
  assert.equal(decoder.tableBytes, 5000);
});

test('literals that are never to be indexed are reported, and only those', () => {
  const list = listOf(new HpackDecoder(4096), '82 1001 6101 62 0001 6301 64 1f08 0165');
  assert.deepEqual(linesOf(list.fields), [':method GET', 'a b', 'c d', 'authorization e']);
  assert.deepEqual(
    list.neverIndexed?.map((at) => list.fields[at]),
    ['a', 'authorization'],
  );
  assert.equal(listOf(new HpackDecoder(4096), '82').neverIndexed, null);
});

test('a list that is too large keeps its first fields, and the table stays right', () => {
  const decoder = new HpackDecoder(4096);
  // :method GET counts 42 bytes, a b 34.
  const block = '82 4001 6101 62 0001 6301 64 4001 6501 66 83';
  const list = listOf(decoder, block, 42);
  assert.deepEqual([linesOf(list.fields), list.isTooLarge], [[':method GET'], true]);
  assert.deepEqual(fieldsOf(decoder, 'be bf'), ['e f', 'a b']);
  assert.equal(listOf(decoder, block, 5 * 34 + 8 + 9 - 1).isTooLarge, true);
  assert.equal(listOf(decoder, block, 3 * 34 + 42 + 43).isTooLarge, false);
});

test('errors behind the limit of a list are errors', () => {
  const decoder = new HpackDecoder(4096);
  const bytes = bytesOf('82 83 0001 6181 ff');
  assert.equal(decoder.decode(bytes, 0, bytes.length, 10), null);
  assert.equal(decoder.fault, 'huffman');
});

test('references to a large entry cost no more memory than the list may have', () => {
  const decoder = new HpackDecoder(4096);
  listOf(decoder, addition('a', 'b'.repeat(4096 - 33)));
  assert.equal(decoder.tableBytes, 4096);
  const { fields, isTooLarge } = listOf(decoder, Buffer.alloc(1_000_000, 0xbe), 65_536);
  assert.equal(isTooLarge, true);
  assert.equal(fields.length, 2 * 16, '16 of 4096 bytes each');
});

test('no bytes make it crash, or keep more than the list and the table may have', () => {
  const spice = fc.constantFrom(
    '82',
    'be',
    'bf',
    '4001 6101 62',
    '0001 61',
    '20',
    '3fe11f',
    '7f',
    'ff',
    '1f',
    '41 8c',
    '00',
  );
  const chunk = fc.oneof(
    spice.map(bytesOf),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  );
  const blocks = fc.array(
    fc.array(chunk, { maxLength: 8 }).map((chunks) => Buffer.concat(chunks)),
    { maxLength: 6 },
  );
  let valid = 0;
  let invalid = 0;
  fc.assert(
    fc.property(blocks, fc.integer({ min: 0, max: 300 }), (all, maxListBytes) => {
      const decoder = new HpackDecoder(4096);
      for (const block of all) {
        const list = decoder.decode(block, 0, block.length, maxListBytes);
        if (list === null) {
          assert.ok(decoder.fault);
          invalid++;
          return;
        }
        valid++;
        let bytes = 0;
        for (const text of list.fields) bytes += text.length + 16;
        assert.ok(bytes <= maxListBytes);
        assert.ok(decoder.tableBytes <= 4096);
      }
    }),
    { numRuns: NUM_RUNS },
  );
  assert.ok(valid > NUM_RUNS / 10 && invalid > NUM_RUNS / 10, `${valid} valid, ${invalid} invalid`);
});
