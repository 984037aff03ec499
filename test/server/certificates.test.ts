import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Certificates, NO_CLIENT_TRUST } from '../../lib/server/certificates.ts';
import { faulty, type StoredCertificate, storedPair, NO_CERTIFICATE } from '../../lib/store/certificates.ts';
import { makePair, noOpenssl, type Pair } from '../support/certificates.ts';
import { temporaryFolder } from '../support/router.ts';

const DAY_MS = 86_400_000;
const CLIENT = '192.0.2.1';

/** Certificates over a store that holds what the test says; an Error is silence. */
function open() {
  const held = new Map<string, StoredCertificate | Error>();
  const told: string[] = [];
  const asked: string[] = [];
  const clock = { now: Date.now() };
  const store = {
    nameOf: (key: string) => `tls:${key}`,
    mustAsk: () => true,
    find: async (key: string) => {
      asked.push(key);
      const found = held.get(key) ?? NO_CERTIFICATE;
      if (found instanceof Error) throw found;
      return found;
    },
    forget: () => {},
  };
  const goodPairs = { recall: async () => null, keep: () => {}, drop: () => {} };
  const onFault = (name: string, fault: string): void => void told.push(`${name} ${fault}`);
  return {
    held,
    told,
    asked,
    clock,
    certificates: new Certificates({ store, goodPairs, onFault, now: () => clock.now }),
  };
}

const storedValueOf = ({ cert, key }: Pair): StoredCertificate => storedPair(cert, key);

describe('certificates for handshakes', { skip: noOpenssl }, () => {
  test('what was made of a pair is used again, and made for each kind of listener', async (t) => {
    const { held, certificates } = open();
    held.set('a.io', storedValueOf(makePair(temporaryFolder(t), 'a')));
    const first = await certificates.find('a.io', NO_CLIENT_TRUST, CLIENT);
    assert.ok(first);
    assert.equal(await certificates.find('A.IO', NO_CLIENT_TRUST, CLIENT), first);
    const trust: readonly string[] = [makePair(temporaryFolder(t), 'root').cert];
    const other = await certificates.find('a.io', trust, CLIENT);
    assert.notEqual(other, first);
    assert.equal(await certificates.find('a.io', trust, CLIENT), other);
  });

  test('one that ends while it is in use goes on, and is logged once', async (t) => {
    const { held, told, clock, certificates } = open();
    held.set('a.io', storedValueOf(makePair(temporaryFolder(t), 'a')));
    const first = await certificates.find('a.io', NO_CLIENT_TRUST, CLIENT);
    clock.now += 2 * DAY_MS;
    for (const _ of [1, 2]) assert.equal(await certificates.find('a.io', NO_CLIENT_TRUST, CLIENT), first);
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /^tls:a\.io has a certificate that expired on 20/);
  });

  test('a fault is told again when it comes again, and another one at once', async (t) => {
    const { held, told, certificates } = open();
    const good = storedValueOf(makePair(temporaryFolder(t), 'a'));
    const steps = [faulty('wrong-type', 'one'), faulty('wrong-type', 'one'), faulty('wrong-type', 'two'), good];
    for (const step of [...steps, ...steps]) {
      held.set('a.io', step);
      await certificates.find('a.io', NO_CLIENT_TRUST, CLIENT);
    }
    assert.deepEqual(told, ['tls:a.io one', 'tls:a.io two', 'tls:a.io one', 'tls:a.io two']);
  });

  test('in silence the last good one serves; a faulty one leaves the wildcard’s to serve', async (t) => {
    const { held, certificates } = open();
    const folder = temporaryFolder(t);
    held.set('a.x.io', storedValueOf(makePair(folder, 'own')));
    held.set('*.x.io', storedValueOf(makePair(folder, 'wild')));
    const own = await certificates.find('a.x.io', NO_CLIENT_TRUST, CLIENT);
    const wild = await certificates.find('b.x.io', NO_CLIENT_TRUST, CLIENT);
    assert.ok(own && wild && own !== wild);
    held.set('a.x.io', new Error('silent'));
    held.set('b.x.io', faulty('wrong-type', 'x'));
    assert.equal(await certificates.find('a.x.io', NO_CLIENT_TRUST, CLIENT), own);
    assert.equal(await certificates.find('b.x.io', NO_CLIENT_TRUST, CLIENT), wild);
    held.set('a.x.io', NO_CERTIFICATE);
    assert.equal(await certificates.find('a.x.io', NO_CLIENT_TRUST, CLIENT), wild);
    assert.equal(await certificates.find('not a host', NO_CLIENT_TRUST, CLIENT), null);
  });

  test('names that a client makes up cause a bounded number of lookups, and leave half of them to other clients', async (t) => {
    const { held, asked, certificates } = open();
    const pair = storedValueOf(makePair(temporaryFolder(t), 'a'));
    for (const key of ['seen.io', 'new.io', '*.wild.io']) held.set(key, pair);
    assert.ok(await certificates.find('seen.io', NO_CLIENT_TRUST, CLIENT));
    const flood = async (suffix: string, client: string): Promise<number> => {
      const before = asked.length;
      for (let i = 0; i < 10_000; i++) await certificates.find(`made-up-${i}${suffix}`, NO_CLIENT_TRUST, client);
      return asked.length - before;
    };
    // Each name has two keys at least, and a second or two may pass.
    const lookups = await flood('.io', CLIENT);
    assert.ok(lookups > 2_000 && lookups < 10_000, `${lookups}`);
    assert.equal(await certificates.find('new.io', NO_CLIENT_TRUST, CLIENT), null, 'as if the store did not reply');
    assert.ok(await certificates.find('seen.io', NO_CLIENT_TRUST, CLIENT), 'it is known to the worker');
    assert.ok(await certificates.find('new.io', NO_CLIENT_TRUST, '192.0.2.2'));
    assert.ok(await certificates.find('a.wild.io', NO_CLIENT_TRUST, '192.0.2.2'));
    const under = await flood('.wild.io', '192.0.2.3');
    assert.ok(under > 2_000 && under < 10_000, `${under}`);
    assert.ok(await certificates.find('another.wild.io', NO_CLIENT_TRUST, '192.0.2.3'), 'a wildcard is known, too');
  });
});
