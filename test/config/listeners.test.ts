import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { INTERMEDIATE } from '../../lib/config/tls.ts';
import { makePair, noOpenssl, type Pair } from '../support/certificates.ts';
import { faultsOf, load, makeFolder } from '../support/configurations.ts';

const filesOf = ({ keyFile, certFile }: Pair) => ({ key: keyFile, cert: certFile });
const textsOf = ({ key, cert }: Pair) => ({ key, cert });
const clients = { clientCa: [], clientCert: 'required', clientCertPem: false };
const rest = { ca: [], passphrase: null, ciphers: INTERMEDIATE, minVersion: 'TLSv1.2', ...clients };
const plain = (address: string, port: number, proxyProtocol = 'off') => ({
  address,
  port,
  proxyProtocol,
  http2: false,
  tls: null,
});

/** What `http` says, and where the program then listens. */
const PLAIN: readonly (readonly [Record<string, unknown>, readonly unknown[]])[] = [
  [{ port: 8080 }, [plain('127.0.0.1', 8080)]],
  [{ port: '8080' }, [plain('127.0.0.1', 8080)]],
  [{ port: 0 }, [plain('127.0.0.1', 0)]],
  [{ bind: '0.0.0.0' }, [plain('0.0.0.0', 80)]],
  [{ bind: '' }, [plain('127.0.0.1', 80)]],
  [{ bind: null }, [plain('127.0.0.1', 80)]],
  [{ bind: ['127.0.0.1', '::1'] }, [plain('127.0.0.1', 80), plain('::1', 80)]],
  [{ bind: '[::1]' }, [plain('::1', 80)]],
  [{ bind: 'fe80::1%eth0' }, [plain('fe80::1%eth0', 80)]],
  [{ bind: 'localhost' }, [plain('localhost', 80)]],
  [{ bind: { address: '::', port: 81 } }, [plain('::', 81)]],
  [{ port: 8080, bind: ['::1', { address: '127.0.0.2', port: '81' }] }, [plain('::1', 8080), plain('127.0.0.2', 81)]],
  [
    { proxyProtocol: 'required', bind: ['::1', { address: '127.0.0.2', proxyProtocol: 'optional' }] },
    [plain('::1', 80, 'required'), plain('127.0.0.2', 80, 'optional')],
  ],
];

for (const [http, listeners] of PLAIN) {
  test(`http ${JSON.stringify(http)} listens where it says`, () => {
    assert.deepEqual(load({ http }).listeners, listeners);
  });
}

test('a section https without addresses listens nowhere, and its files are not even read', () => {
  const https = { port: 443, key: '/nowhere/tls.key', cert: '/nowhere/tls.crt' };
  for (const bind of [[], '', null, undefined]) {
    assert.deepEqual(load({ https: { ...https, bind } }).listeners, [plain('127.0.0.1', 80)]);
  }
});

test('https needs no certificate: the store may have them', () => {
  assert.deepEqual(load({ https: { bind: '127.0.0.1' } }).listeners[1]?.tls, { key: null, cert: null, ...rest });
});

describe('with certificates', { skip: noOpenssl }, () => {
  let folder = '';
  let one: Pair;
  let two: Pair;
  let locked: Pair;
  before(() => {
    folder = makeFolder();
    one = makePair(folder, 'one.example');
    two = makePair(folder, 'two.example');
    locked = makePair(folder, 'locked.example', 'open sesame');
  });

  test('https alone is enough, on port 443', () => {
    assert.deepEqual(load({ http: { bind: [] }, https: { bind: '127.0.0.1', ...filesOf(one) } }).listeners, [
      { address: '127.0.0.1', port: 443, proxyProtocol: 'off', http2: true, tls: { ...textsOf(one), ...rest } },
    ]);
  });

  test('each listener takes from the section what it does not say itself', () => {
    const own = {
      ...filesOf(two),
      port: '8444',
      ca: one.certFile,
      ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
      minVersion: 'TLSv1.3',
      proxyProtocol: 'required',
      http2: false,
    };
    const https = { port: 8443, bind: ['::1', { address: '127.0.0.1', ...own }], ...filesOf(one) };
    assert.deepEqual(load({ http: { bind: [] }, https }).listeners, [
      { address: '::1', port: 8443, proxyProtocol: 'off', http2: true, tls: { ...textsOf(one), ...rest } },
      {
        address: '127.0.0.1',
        port: 8444,
        proxyProtocol: 'required',
        http2: false,
        tls: {
          ...textsOf(two),
          ca: [one.cert],
          passphrase: null,
          ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
          minVersion: 'TLSv1.3',
          ...clients,
        },
      },
    ]);
  });

  test('the section may set the lowest TLS version, the ciphers and the PROXY protocol for all', () => {
    const https = { bind: '::1', minVersion: 'TLSv1.3', ciphers: 'HIGH:!aNULL', proxyProtocol: 'optional' };
    const listener = load({ https: { ...https, ...filesOf(one) } }).listeners[1];
    assert.equal(listener?.proxyProtocol, 'optional');
    assert.equal(listener.tls?.minVersion, 'TLSv1.3');
    assert.equal(listener.tls.ciphers, 'HIGH:!aNULL');
  });

  test('a key without a certificate is refused, and the other way round, once, however many listeners want them', () => {
    const bind = ['127.0.0.1', '::1'];
    const sentence = 'is missing; a certificate and its key go together';
    assert.deepEqual(faultsOf({ https: { bind, key: one.keyFile } }), [`https.cert: ${sentence}`]);
    assert.deepEqual(faultsOf({ https: { bind, cert: one.certFile } }), [`https.key: ${sentence}`]);
  });

  test('authorities of clients are read, and held to be certificates', () => {
    const https = { bind: '::1', clientCa: [one.certFile], clientCert: 'optional', ...filesOf(one) };
    assert.deepEqual(load({ https }).listeners[1]?.tls?.clientCa, [one.cert]);
    assert.deepEqual(faultsOf({ https: { ...https, clientCa: one.keyFile } }), [
      `https.clientCa: ${one.keyFile} has no certificate in PEM format`,
    ]);
  });

  test('ca is one file or several', () => {
    const caOf = (ca: unknown) => load({ https: { bind: '::1', ca, ...filesOf(one) } }).listeners[1]?.tls?.ca;
    assert.deepEqual(caOf(two.certFile), [two.cert]);
    assert.deepEqual(caOf([two.certFile, one.certFile]), [two.cert, one.cert]);
    assert.deepEqual(caOf([]), []);
    assert.deepEqual(caOf(''), []);
  });

  test('an encrypted key opens with the passphrase', () => {
    const https = { bind: '::1', ...filesOf(locked), passphrase: 'open sesame' };
    assert.equal(load({ https }).listeners[1]?.tls?.passphrase, 'open sesame');
  });

  test('the passphrase of the section is for its key, not for the key of a listener', () => {
    const bind = ['::1', { address: '127.0.0.1', ...filesOf(two) }];
    const https = { bind, ...filesOf(locked), passphrase: 'open sesame' };
    assert.deepEqual(
      load({ http: { bind: [] }, https }).listeners.map(({ tls }) => tls?.passphrase),
      ['open sesame', null],
    );
  });

  test('a file that is missing is named at the key that names it', () => {
    const bind = ['::1', { address: '127.0.0.1', cert: '/nowhere/b.crt', ca: ['/nowhere/ca.crt'] }];
    assert.deepEqual(faultsOf({ https: { bind, cert: '/nowhere/a.crt', key: one.keyFile } }), [
      'https.cert: /nowhere/a.crt does not exist',
      'https.bind[1].cert: /nowhere/b.crt does not exist',
      'https.bind[1].ca: /nowhere/ca.crt does not exist',
    ]);
  });

  test('a folder in place of a certificate is named', () => {
    assert.deepEqual(faultsOf({ https: { bind: '::1', key: one.keyFile, cert: folder } }), [
      `https.cert: ${folder} is a folder, not a file`,
    ]);
  });

  test('a key that belongs to another certificate is refused', () => {
    assert.deepEqual(faultsOf({ https: { bind: '::1', key: two.keyFile, cert: one.certFile } }), [
      `https.key: ${two.keyFile} is not the key of the certificate ${one.certFile}`,
    ]);
  });

  test('files that hold something else are refused', () => {
    const junk = join(folder, 'junk.pem');
    writeFileSync(junk, 'not PEM at all');
    assert.deepEqual(faultsOf({ https: { bind: '::1', key: junk, cert: junk, ca: junk } }), [
      `https.cert: ${junk} has no certificate in PEM format`,
      `https.key: ${junk} has no private key in PEM format`,
      `https.ca: ${junk} has no certificate in PEM format`,
    ]);
  });

  test('an encrypted key without its passphrase, or with a wrong one, is refused', () => {
    const https = { bind: '::1', ...filesOf(locked) };
    assert.deepEqual(faultsOf({ https }), [`https.passphrase: is missing, and ${locked.keyFile} is encrypted`]);
    const faults = faultsOf({ https: { ...https, passphrase: 'wr0ng' } });
    assert.deepEqual(faults, [`https.passphrase: does not open ${locked.keyFile}`]);
  });

  test('ciphers that OpenSSL does not take are refused', () => {
    for (const ciphers of ['ROT13', 'EECDH+ ECDSA+SHA256']) {
      const [fault, ...more] = faultsOf({ https: { bind: '::1', ciphers, ...filesOf(one) } });
      assert.match(fault ?? '', /^https\.ciphers: is refused by OpenSSL: ./);
      assert.deepEqual(more, []);
    }
  });
});
