import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hopByHop } from '../../lib/core/http/hop-by-hop.ts';
import { clientAddress, clientScheme } from '../../lib/core/http/forwarded.ts';
import { asksForTrailers } from '../../lib/core/http/http2-fields.ts';
import { hasToken } from '../../lib/core/http/request-head.ts';
import { trimmed } from '../../lib/core/http/white-space.ts';

test('SP and HTAB are taken off both ends of a text, and of a part of one', () => {
  assert.equal(trimmed('a'), 'a');
  assert.equal(trimmed(' \t a b\t '), 'a b');
  assert.equal(trimmed(' \t '), '');
  assert.equal(trimmed(''), '');
  assert.equal(trimmed('x:  a \r\n', 2, 6), 'a');
  assert.equal(trimmed('x:   \r\n', 2, 5), '');
});

test('nothing else is, least of all what latin1 has from 0x80 on', () => {
  for (const odd of ['\u00a0', '\u0085', '\v', '\f', '\r', '\n', '\u2003', '\ufeff']) {
    assert.equal(trimmed(` ${odd}a${odd} `), `${odd}a${odd}`);
  }
});

test('a list’s item with the byte 0xA0 is another item', () => {
  assert.ok(hasToken('a, \tclose ', 'close'));
  assert.ok(!hasToken('a, close\u00a0', 'close'));
  assert.ok(!hopByHop(['Connection', '\u00a0x-a']).has('x-a'));
  assert.ok(asksForTrailers(['TE', 'a,\ttrailers ;']));
  assert.ok(!asksForTrailers(['TE', '\u00a0trailers']));
  const peer = { address: '10.0.0.1', isTrusted: true, isTls: false, localPort: 80 };
  assert.equal(clientScheme(peer, ['X-Forwarded-Proto', ' https\t, http']), 'https');
  assert.equal(clientScheme(peer, ['X-Forwarded-Proto', 'https\u00a0']), 'http');
  assert.equal(
    clientAddress(peer, ['1.2.3.4\u00a0'], () => true),
    '10.0.0.1',
  );
});
