import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientKey } from '../../lib/core/limits/client-key.ts';

for (const [address, key] of [
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0DB8:0001:0002::1', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:db8:0:0:ffff::', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['', ''],
] as const) {
  test(`limits for ${address || 'nobody known'} go by ${key || 'that'}`, () => assert.equal(clientKey(address), key));
}
