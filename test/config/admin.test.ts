import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { faultsOf, load, read } from '../support/configurations.ts';

test('there is no admin interface unless it is asked for', () => {
  for (const admin of [undefined, null, false]) assert.equal(load({ admin }).admin, null);
});

test('an empty section listens on this machine alone, port 8081', () => {
  assert.deepEqual(load({ admin: {} }).admin, { places: [{ address: '127.0.0.1', port: 8081 }], token: null });
});

test('a socket may stand for the section, or for an address', () => {
  const places = [{ socket: '/run/hipache.sock' }];
  for (const admin of ['/run/hipache.sock', 'unix:/run/hipache.sock', { bind: '/run/hipache.sock' }])
    assert.deepEqual(load({ admin }).admin?.places, places);
  assert.deepEqual(load({ admin: './a.sock' }).admin?.places, [{ socket: resolve('a.sock') }]);
  const both = load({ admin: { bind: ['::1', '/run/a.sock'], port: 9 } }).admin?.places;
  assert.deepEqual(both, [{ address: '::1', port: 9 }, { socket: '/run/a.sock' }]);
});

test('where others can reach it, there must be a token', () => {
  for (const bind of ['0.0.0.0', '::', '10.0.0.1', 'example.com', ['127.0.0.1', '10.0.0.1']]) {
    const faults = faultsOf({ admin: { bind } });
    assert.equal(faults.length, 1, String(bind));
    assert.match(faults[0] ?? '', /^admin\.token: is required, because other machines can reach /);
    assert.deepEqual(faultsOf({ admin: { bind, token: 'secret' } }), []);
  }
  for (const bind of ['127.0.0.1', '127.1.2.3', '::1', 'localhost', '/run/a.sock'])
    assert.deepEqual(faultsOf({ admin: { bind } }), [], bind);
});

test('a token that no header field could carry is refused, and never repeated', () => {
  for (const token of ['two words', 'naïve', 'new\nline']) {
    const [fault = ''] = faultsOf({ admin: { token } });
    assert.equal(fault, 'admin.token: must be of visible ASCII characters, without spaces');
  }
});

test('the token is not shown', () => {
  const { document } = read({ admin: { bind: '10.0.0.1', token: 'secret' } });
  assert.deepEqual(document['admin'], { bind: ['10.0.0.1'], port: 8081, token: '***' });
});

test('it cannot have the place of a listener for sites', () => {
  const faults = faultsOf({ http: { port: 8081 }, admin: {} });
  assert.deepEqual(faults, ['admin.bind: uses 127.0.0.1 port 8081, which http.bind[0] uses already']);
  assert.deepEqual(faultsOf({ http: { port: 0 }, admin: { port: 0 } }), []);
});

test('what is no address and no socket is told what would be', () => {
  const [fault = ''] = faultsOf({ admin: { bind: '300.1.1.1' } });
  assert.match(fault, /^admin\.bind\[0\]: must be an IP address, .* or the path of a socket/);
  assert.match(faultsOf({ admin: { prot: 1 } })[0] ?? '', /^admin\.prot: unknown key; did you mean "port"\?/);
});
