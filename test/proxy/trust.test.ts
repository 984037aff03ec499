import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trust } from '../../lib/proxy/trust.ts';

test('nobody is trusted unless named', () => {
  const isTrusted = trust([]);
  for (const address of ['127.0.0.1', '::1', '10.0.0.1', '203.0.113.9'])
    assert.equal(isTrusted(address), false, address);
});

test('addresses and ranges are trusted, and their neighbours not', () => {
  const isTrusted = trust(['203.0.113.9', '198.51.100.0/24', '2001:db8::/32', '2001:db9::5']);
  const yes = ['203.0.113.9', '198.51.100.0', '198.51.100.255', '2001:db8:ffff::1', '2001:db9::5', '2001:DB9:0::5'];
  const no = ['203.0.113.10', '198.51.101.0', '2001:db9::6', '::1', '127.0.0.1'];
  assert.deepEqual(
    yes.filter((address) => !isTrusted(address)),
    [],
  );
  assert.deepEqual(
    no.filter((address) => isTrusted(address)),
    [],
  );
});

test('`private` stands for loopback, private, link-local and unique-local addresses', () => {
  const isTrusted = trust(['private']);
  const yes = ['127.0.0.1', '127.9.9.9', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.1.1'];
  const no = ['172.15.0.1', '172.32.0.1', '192.169.0.1', '11.0.0.1', '::2', '2001:db8::1', 'fec0::1'];
  assert.deepEqual(
    [...yes, '::1', 'fe80::1', 'fd00::1'].filter((address) => !isTrusted(address)),
    [],
  );
  assert.deepEqual(
    no.filter((address) => isTrusted(address)),
    [],
  );
});

test('a peer without an address is a unix socket, and trusted; a word is nobody', () => {
  const isTrusted = trust([]);
  assert.equal(isTrusted(''), true);
  assert.equal(isTrusted('unknown'), false);
});
