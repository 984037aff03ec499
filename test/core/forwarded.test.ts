import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clientAddress,
  forwardedFields,
  type ForwardedFields,
  type ForwardedPolicy,
  isForwardedField,
  mapped,
  type Peer,
  unmapped,
} from '../../lib/core/http/forwarded.ts';

const peer: Peer = { address: '10.0.0.1', isTrusted: true, isTls: false, localPort: 8080 };
const stranger: Peer = { ...peer, address: '203.0.113.9', isTrusted: false };
const isTrusted = (address: string): boolean => address.startsWith('10.');
const nothing: ForwardedFields = { forwardedFor: [], kept: new Set() };
const standard: ForwardedPolicy = { style: 'standard', isTrusted, serverName: 'router1' };
const hipache: ForwardedPolicy = { ...standard, style: 'hipache' };

/** Fields as lines, names and values together. */
function linesOf(fields: readonly string[]): string[] {
  return fields.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${fields[at + 1]}`] : []));
}

test('an IPv4 address comes out of IPv6 and goes back into it', () => {
  assert.equal(unmapped('::ffff:1.2.3.4'), '1.2.3.4');
  assert.equal(unmapped('2001:db8::1'), '2001:db8::1');
  assert.equal(mapped('1.2.3.4'), '::ffff:1.2.3.4');
  assert.equal(mapped('2001:db8::1'), '2001:db8::1');
  assert.equal(mapped(''), '');
});

test('the client is the peer, unless the peer is trusted and says otherwise', () => {
  assert.equal(clientAddress(stranger, ['1.1.1.1'], isTrusted), '203.0.113.9');
  assert.equal(clientAddress(peer, [], isTrusted), '10.0.0.1');
  assert.equal(clientAddress(peer, ['1.1.1.1'], isTrusted), '1.1.1.1');
});

test('the client is the right-most hop that no trusted proxy stands for: what is left of it anybody can write', () => {
  assert.equal(clientAddress(peer, ['6.6.6.6, 1.1.1.1, 10.0.0.7'], isTrusted), '1.1.1.1');
  assert.equal(clientAddress(peer, ['6.6.6.6', '1.1.1.1', '10.0.0.7'], isTrusted), '1.1.1.1');
  assert.equal(clientAddress(peer, ['10.0.0.9, 10.0.0.8'], isTrusted), '10.0.0.9');
});

test('a hop that is no address ends the search at the last one that was', () => {
  assert.equal(clientAddress(peer, ['1.1.1.1, unknown'], isTrusted), '10.0.0.1');
  assert.equal(clientAddress(peer, ['1.1.1.1, _hidden, 10.0.0.7'], isTrusted), '10.0.0.7');
  assert.equal(clientAddress(peer, [''], isTrusted), '10.0.0.1');
});

test('hops may carry ports and brackets', () => {
  assert.equal(clientAddress(peer, ['1.1.1.1:5000'], isTrusted), '1.1.1.1');
  assert.equal(clientAddress(peer, ['[2001:DB8::1]:5000'], isTrusted), '2001:db8::1');
  assert.equal(clientAddress(peer, ['[2001:db8::1]'], isTrusted), '2001:db8::1');
  assert.equal(clientAddress(peer, ['::ffff:1.1.1.1'], isTrusted), '1.1.1.1');
});

test('the family is known by any spelling that a CGI program would take for it', () => {
  for (const name of [
    'forwarded',
    'x-real-ip',
    'x_real_ip',
    'x-forwarded-for',
    'x_forwarded_proto',
    'x.forwarded!for',
  ]) {
    assert.equal(isForwardedField(name), true, name);
  }
  assert.equal(isForwardedField('x-forwarded'), false);
  assert.equal(isForwardedField('x-request-id'), false);
});

test('standard: a backend learns of the client, the scheme, the port and the host', () => {
  assert.deepEqual(linesOf(forwardedFields(standard, stranger, '203.0.113.9', 'a.test:80', nothing)), [
    'X-Forwarded-For: 203.0.113.9',
    'X-Real-IP: 203.0.113.9',
    'X-Forwarded-Protocol: http',
    'X-Forwarded-Proto: http',
    'X-Forwarded-Port: 8080',
    'X-Forwarded-Host: a.test:80',
    'X-Forwarded-Server: router1',
  ]);
});

test('standard: a trusted chain grows by the peer, a stranger starts a new one', () => {
  const given: ForwardedFields = { forwardedFor: ['1.1.1.1', '2.2.2.2'], kept: new Set() };
  assert.deepEqual(linesOf(forwardedFields(standard, peer, '2.2.2.2', 'a', given)).slice(0, 2), [
    'X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.1',
    'X-Real-IP: 2.2.2.2',
  ]);
  assert.equal(forwardedFields(standard, stranger, '203.0.113.9', 'a', given)[1], '203.0.113.9');
});

test('standard: what was believed is not said twice', () => {
  const kept = new Set(['x-forwarded-proto', 'x-real-ip', 'x-forwarded-port', 'x-forwarded-host']);
  const fields = forwardedFields(standard, { ...peer, isTls: true }, '1.1.1.1', 'a', { forwardedFor: [], kept });
  assert.deepEqual(linesOf(fields), [
    'X-Forwarded-For: 10.0.0.1',
    'X-Forwarded-Protocol: https',
    'X-Forwarded-Server: router1',
  ]);
});

test('hipache: the five fields of the original, IPv4 in the clothes of IPv6', () => {
  assert.deepEqual(linesOf(forwardedFields(hipache, { ...stranger, isTls: true, localPort: 443 }, 'x', 'a', nothing)), [
    'X-Forwarded-For: ::ffff:203.0.113.9',
    'X-Real-IP: ::ffff:203.0.113.9',
    'X-Forwarded-Protocol: https',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Port: 443',
  ]);
});

test('hipache: fields that are there stay as they are', () => {
  const kept = new Set(['x-forwarded-for', 'x-forwarded-proto']);
  const fields = forwardedFields(hipache, stranger, 'x', 'a', { forwardedFor: ['1.1.1.1'], kept });
  assert.deepEqual(linesOf(fields), [
    'X-Real-IP: ::ffff:203.0.113.9',
    'X-Forwarded-Protocol: http',
    'X-Forwarded-Port: 8080',
  ]);
});
