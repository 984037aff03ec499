import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProxyHeader } from '../../lib/core/http/proxy-protocol.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const SIGNATURE = bytes('\r\n\r\n\0\r\nQUIT\n');

function binary(command: number, family: number, payload: readonly number[], rest = ''): Buffer {
  const length = [payload.length >> 8, payload.length & 255];
  return Buffer.concat([SIGNATURE, Buffer.from([command, family, ...length, ...payload]), bytes(rest)]);
}

test('version 1 tells the client’s address and the port it came in by', () => {
  const line = 'PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n';
  assert.deepEqual(readProxyHeader(bytes(`${line}GET / HTTP/1.1\r\n`)), {
    type: 'header',
    length: line.length,
    addresses: { source: '192.0.2.1', destinationPort: 443 },
  });
  const six = readProxyHeader(bytes('PROXY TCP6 2001:DB8::1 2001:db8::2 40000 80\r\n'));
  assert.deepEqual(six.type === 'header' && six.addresses, { source: '2001:db8::1', destinationPort: 80 });
});

test('UNKNOWN is a header without addresses', () => {
  for (const line of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n']) {
    assert.deepEqual(readProxyHeader(bytes(line)), { type: 'header', length: line.length, addresses: null });
  }
});

test('version 2 tells the same in bytes, and may carry more', () => {
  const payload = [192, 0, 2, 1, 198, 51, 100, 2, 0x9c, 0x40, 0x01, 0xbb, 4, 0, 1, 0];
  assert.deepEqual(readProxyHeader(binary(0x21, 0x11, payload, 'GET')), {
    type: 'header',
    length: 16 + payload.length,
    addresses: { source: '192.0.2.1', destinationPort: 443 },
  });
  const six = [0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 1, ...Array(16).fill(0), 0, 1, 0, 80];
  const header = readProxyHeader(binary(0x21, 0x21, six));
  assert.deepEqual(header.type === 'header' && header.addresses, {
    source: '2001:db8:0:0:0:0:0:1',
    destinationPort: 80,
  });
});

test('a proxy’s own connection, and families without ports, have no addresses to tell', () => {
  for (const header of [
    binary(0x20, 0, []),
    binary(0x21, 0x31, Array(216).fill(0)),
    binary(0x20, 0x11, Array(12).fill(1)),
  ]) {
    assert.deepEqual(readProxyHeader(header), { type: 'header', length: header.length, addresses: null });
  }
});

test('every beginning of a header is incomplete, and says nothing yet', () => {
  for (const header of [
    bytes('PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n'),
    binary(0x21, 0x11, Array(12).fill(1)),
  ]) {
    for (let length = 0; length < header.length; length++) {
      assert.deepEqual(readProxyHeader(header.subarray(0, length)), { type: 'incomplete' }, `${length} bytes`);
    }
  }
});

test('what begins as a header and is none is invalid', () => {
  const bad = [
    'PROXY TCP4 192.0.2.1 198.51.100.2 40000\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 40000 99999\r\n',
    'PROXY TCP5 192.0.2.1 198.51.100.2 40000 443\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\n',
    `PROXY TCP4 ${'1'.repeat(200)}`,
    'PROXY  TCP4 192.0.2.1 198.51.100.2 40000 443\r\n',
  ];
  for (const line of bad) assert.deepEqual(readProxyHeader(bytes(line)), { type: 'invalid' }, line);
  assert.deepEqual(readProxyHeader(binary(0x11, 0x11, Array(12).fill(1))), { type: 'invalid' });
  assert.deepEqual(readProxyHeader(binary(0x22, 0x11, Array(12).fill(1))), { type: 'invalid' });
  assert.deepEqual(readProxyHeader(binary(0x21, 0x11, [1, 2, 3])), { type: 'invalid' });
  assert.deepEqual(readProxyHeader(Buffer.concat([SIGNATURE, Buffer.from([0x21, 0x11, 0xff, 0xff])])), {
    type: 'invalid',
  });
});

test('anything else is no header', () => {
  for (const start of ['GET / HTTP/1.1\r\n', 'P0', 'PROXX', '\r\n\r\nGET', '\x16\x03\x01']) {
    assert.deepEqual(readProxyHeader(bytes(start)), { type: 'none' }, start);
  }
});
