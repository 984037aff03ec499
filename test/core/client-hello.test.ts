import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverNaming } from '../../lib/core/http/client-hello.ts';
import { clientHello } from '../support/handshakes.ts';

const NAMED = clientHello(Buffer.from('www.site.test'));
const NAMELESS = clientHello(null);

/** The same message, in records of so many bytes. */
function inRecordsOf(size: number, hello: Buffer): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]), part);
  }
  return Buffer.concat(records);
}

test('a ClientHello names a server, or does not, in one record or several', () => {
  for (const [hello, naming] of [
    [NAMED, 'named'],
    [NAMELESS, 'nameless'],
    [clientHello(Buffer.alloc(0)), 'nameless'],
  ] as const) {
    for (const size of [3, 50, 1_000]) assert.equal(serverNaming(inRecordsOf(size, hello)), naming);
    assert.equal(serverNaming(Buffer.concat([hello, Buffer.from('and more')])), naming);
  }
});

test('as long as it is not whole nothing is known', () => {
  for (const hello of [NAMED, inRecordsOf(50, NAMELESS)]) {
    for (let end = 0; end < hello.length; end++) assert.equal(serverNaming(hello.subarray(0, end)), 'incomplete');
  }
});

test('what is no ClientHello is not waited for, nor one without end', () => {
  const long = Buffer.from('1603014000010fffff', 'hex');
  const lie = Buffer.from(NAMED);
  // The length of its extensions.
  lie.writeUInt16BE(0xffff, 5 + 4 + 34 + 1 + 6 + 2);
  const others = [
    Buffer.from('GET / HTTP/1.1\r\n'),
    Buffer.from('160301000402000000', 'hex'),
    Buffer.from('1603010000', 'hex'),
    Buffer.concat([Buffer.from('160301000401000001', 'hex'), Buffer.from('1503010002', 'hex')]),
    Buffer.from('16030100050100000100', 'hex'),
    long,
    lie,
    inRecordsOf(1, NAMED),
  ];
  for (const bytes of others) assert.equal(serverNaming(bytes), 'nameless', bytes.toString('hex'));
});

test('whatever bytes come, it says something', () => {
  for (let i = 0; i < 5_000; i++) {
    const bytes = Buffer.from(NAMED);
    bytes[(i * 7919) % bytes.length] = i & 0xff;
    bytes[(i * 104_729) % bytes.length] = (i * 31) & 0xff;
    assert.match(serverNaming(bytes), /^(incomplete|named|nameless)$/);
  }
});
