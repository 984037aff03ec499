import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouterError } from '../../lib/core/errors.ts';
import { type StoredCertificate, storedPair, NO_CERTIFICATE } from '../../lib/store/certificates.ts';
import { Watch } from '../../lib/store/cache/freshness.ts';
import { RememberedCertificates } from '../../lib/store/cache/remembered-certificates.ts';
import { storedOfReply } from '../../lib/store/redis/certificates.ts';

/** A source whose every answer the test gives. */
class Source {
  readonly asked: string[] = [];
  readonly answers: ((held: StoredCertificate | Error) => void)[] = [];

  nameOf(key: string): string {
    return `tls:${key}`;
  }

  read(key: string): Promise<StoredCertificate> {
    this.asked.push(key);
    return new Promise((resolve, reject) => {
      this.answers.push((held) => (held instanceof Error ? reject(held) : resolve(held)));
    });
  }

  answer(held: StoredCertificate | Error): void {
    this.answers.shift()?.(held);
  }
}

const SILENCE = new RouterError('store-unavailable', 'silent');
const A = storedPair('a', 'a');
const B = storedPair('b', 'b');

function open(watch: Watch | null = null, timeoutMs = 5_000) {
  const source = new Source();
  return { source, certificates: new RememberedCertificates({ source, timeoutMs, watch, maxAgeMs: 60_000 }) };
}

test('those who come while a read is under way share the next one, and get what stood there when they came', async () => {
  const { source, certificates } = open();
  const first = certificates.find('a.io');
  const later = [certificates.find('a.io'), certificates.find('a.io'), certificates.find('a.io')];
  source.answer(A);
  assert.equal(await first, A);
  await new Promise(setImmediate);
  assert.equal(source.asked.length, 2);
  source.answer(B);
  assert.deepEqual(await Promise.all(later), [B, B, B]);
});

test('the same texts are the same object', async () => {
  const { source, certificates } = open();
  for (const _ of [1, 2]) {
    const found = certificates.find('a.io');
    source.answer(storedPair('a', 'k'));
    const held = await found;
    const again = certificates.find('a.io');
    source.answer(storedPair('a', 'k'));
    assert.equal(await again, held);
  }
});

test('in silence the last one counts, and where there is none, that is an error', async () => {
  const { source, certificates } = open();
  const first = certificates.find('a.io');
  source.answer(A);
  await first;
  const second = certificates.find('a.io');
  source.answer(SILENCE);
  assert.equal(await second, A);
  const other = certificates.find('b.io');
  source.answer(SILENCE);
  await assert.rejects(other, { code: 'store-unavailable' });
});

test('nobody waits for longer than a lookup may take, however many reads are before', async () => {
  const { certificates } = open(null, 30);
  const finds = [certificates.find('a.io'), certificates.find('a.io')];
  for (const find of finds) await assert.rejects(find, { code: 'store-unavailable' });
});

test('while changes are told, nobody is asked, for hosts without one either; what a change overtakes is not sure', async () => {
  const watch = new Watch(60_000);
  const { source, certificates } = open(watch);
  watch.begin();
  const first = certificates.find('a.io');
  certificates.doubt('a.io');
  source.answer(A);
  await first;
  const second = certificates.find('a.io');
  source.answer(B);
  assert.equal(await second, B);
  assert.equal(await certificates.find('a.io'), B);
  const none = certificates.find('b.io');
  source.answer(NO_CERTIFICATE);
  await none;
  assert.equal(await certificates.find('b.io'), NO_CERTIFICATE);
  assert.equal(source.asked.length, 3);
  certificates.doubt('b.io');
  const third = certificates.find('b.io');
  source.answer(A);
  assert.equal(await third, A);
  // The watch breaks: all is asked for again.
  watch.end(performance.now());
  const fourth = certificates.find('a.io');
  source.answer(A);
  assert.equal(await fourth, A);
});

test('what Redis replies is a pair, none, or a fault that tells nothing of a key', () => {
  assert.deepEqual(storedOfReply([null, null]), NO_CERTIFICATE);
  assert.deepEqual(storedOfReply(['c', 'k']), { type: 'pair', certificate: 'c', key: 'k' });
  for (const [reply, fault] of [
    [['c', null], /no key/],
    [['', 'k'], /no certificate/],
    [['', ''], /neither/],
    [['c'.repeat(300_000), 'k'], /too long/],
  ] as const) {
    const held = storedOfReply(reply);
    assert.match(held.type === 'faulty' ? held.fault : '', fault);
  }
  assert.throws(() => storedOfReply(['secret']), { code: 'store-unavailable', message: /^((?!secret).)*$/ });
  assert.throws(() => storedOfReply('secret'), { code: 'store-unavailable' });
});
