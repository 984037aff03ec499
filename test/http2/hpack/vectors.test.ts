/** The examples of RFC 7541 Appendix C. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HpackDecoder } from '../../../lib/http2/hpack/decoder.ts';
import { encodeHuffman, huffmanBytes } from '../../../lib/http2/hpack/huffman.ts';
import { writeInteger } from '../../../lib/http2/hpack/integers.ts';
import { bytesOf, fieldsOf } from './blocks.ts';

const DATE = 'Mon, 21 Oct 2013 20:13:21 GMT';
const LATER = 'Mon, 21 Oct 2013 20:13:22 GMT';
const COOKIE = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const SITE = 'https://www.example.com';

const REQUESTS = [
  [':method GET', ':scheme http', ':path /', ':authority www.example.com'],
  [':method GET', ':scheme http', ':path /', ':authority www.example.com', 'cache-control no-cache'],
  [':method GET', ':scheme https', ':path /index.html', ':authority www.example.com', 'custom-key custom-value'],
];
const RESPONSES = [
  [':status 302', 'cache-control private', `date ${DATE}`, `location ${SITE}`],
  [':status 307', 'cache-control private', `date ${DATE}`, `location ${SITE}`],
  [
    ':status 200',
    'cache-control private',
    `date ${LATER}`,
    `location ${SITE}`,
    'content-encoding gzip',
    `set-cookie ${COOKIE}`,
  ],
];

/** Each with the blocks of one connection, what they hold, and the table's size after each. */
const SEQUENCES: readonly (readonly [
  name: string,
  limit: number,
  lists: readonly (readonly string[])[],
  sizes: readonly number[],
  blocks: readonly string[],
])[] = [
  [
    'C.2.1 a literal with indexing',
    4096,
    [['custom-key custom-header']],
    [55],
    ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572'],
  ],
  ['C.2.2 a literal without indexing', 4096, [[':path /sample/path']], [0], ['040c 2f73 616d 706c 652f 7061 7468']],
  ['C.2.3 a literal never indexed', 4096, [['password secret']], [0], ['1008 7061 7373 776f 7264 0673 6563 7265 74']],
  ['C.2.4 an indexed field', 4096, [[':method GET']], [0], ['82']],
  [
    'C.3 requests without Huffman coding',
    4096,
    REQUESTS,
    [57, 110, 164],
    [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
  ],
  [
    'C.4 requests with Huffman coding',
    4096,
    REQUESTS,
    [57, 110, 164],
    [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ],
  ],
  [
    'C.5 responses without Huffman coding, with eviction',
    256,
    RESPONSES,
    [222, 222, 215],
    [
      '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 ' +
        '3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '4803 3330 37c1 c0bf',
      '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 ' +
        '7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 ' +
        '6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
    ],
  ],
  [
    'C.6 responses with Huffman coding, with eviction',
    256,
    RESPONSES,
    [222, 222, 215],
    [
      '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad ' +
        '1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      '4883 640e ffc1 c0bf',
      '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 ' +
        'e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
    ],
  ],
];

for (const [name, limit, lists, sizes, blocks] of SEQUENCES) {
  test(`RFC 7541 ${name}`, () => {
    const decoder = new HpackDecoder(4096);
    // The examples assume that the limit of 256 bytes was agreed on.
    if (limit === 256) assert.deepEqual(fieldsOf(decoder, '3fe101'), []);
    for (const [i, block] of blocks.entries()) {
      assert.deepEqual(fieldsOf(decoder, block), lists[i]);
      assert.equal(decoder.tableBytes, sizes[i]);
    }
  });
}

for (const [value, mask, bytes] of [
  [10, 0x1f, '0a'],
  [1337, 0x1f, '1f9a0a'],
  [42, 0xff, '2a'],
] as const) {
  test(`RFC 7541 C.1 the integer ${value}`, () => {
    const into = Buffer.alloc(8);
    assert.equal(into.toString('hex', 0, writeInteger(into, 0, 0, mask, value)), bytes);
  });
}

for (const [text, coded] of [
  ['www.example.com', 'f1e3 c2e5 f23a 6ba0 ab90 f4ff'],
  ['no-cache', 'a8eb 1064 9cbf'],
  ['custom-key', '25a8 49e9 5ba9 7d7f'],
  ['302', '6402'],
  [DATE, 'd07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff'],
  [
    COOKIE,
    '94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
  ],
] as const) {
  test(`RFC 7541 Appendix C: ${JSON.stringify(text)} in the Huffman code`, () => {
    const into = Buffer.alloc(huffmanBytes(text));
    assert.equal(encodeHuffman(text, into, 0), into.length);
    assert.deepEqual(into, bytesOf(coded));
  });
}
