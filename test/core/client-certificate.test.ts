import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientCertificateFields, isClientCertificateField } from '../../lib/core/http/client-certificate.ts';
import { requestHeaders, type RequestHeaderPolicy } from '../../lib/core/http/request-headers.ts';
import { readHead } from '../../lib/core/http/request-head.ts';
import { trailerFields } from '../../lib/core/http/trailers.ts';

const SHOWN = {
  subject: 'C=DE\nO=A\\, B\nCN=Zoë',
  issuer: 'CN=root',
  serialNumber: '0aff',
  fingerprint256: 'AB:CD',
  pem: '-----BEGIN CERTIFICATE-----\na+b/\n',
};
const FORGED = ['X-SSL-Client-Verify', 'x_ssl_client_verify', 'X-Ssl_Client-DN', 'X-SSL-CLIENT-CERT', 'X-SSL-Client'];

test('fields tell of a certificate in ASCII, its name as RFC 4514 has it', () => {
  assert.deepEqual(clientCertificateFields(SHOWN, false), [
    'X-SSL-Client-Verify',
    'SUCCESS',
    'X-SSL-Client-DN',
    'CN=Zo\\C3\\AB,O=A\\, B,C=DE',
    'X-SSL-Client-Issuer-DN',
    'CN=root',
    'X-SSL-Client-Serial',
    '0AFF',
    'X-SSL-Client-Fingerprint',
    'abcd',
  ]);
  assert.deepEqual(clientCertificateFields(SHOWN, true).slice(-2), [
    'X-SSL-Client-Cert',
    '-----BEGIN%20CERTIFICATE-----%0Aa%2Bb%2F%0A',
  ]);
  assert.deepEqual(clientCertificateFields(null, true), ['X-SSL-Client-Verify', 'NONE']);
});

test('nobody’s word is believed, a trusted proxy’s neither, in whatever spelling, and in trailers neither', () => {
  for (const style of ['standard', 'hipache'] as const) {
    const policy: RequestHeaderPolicy = {
      style,
      isTrusted: () => true,
      serverName: 'r',
      makeRequestId: null,
      tellsRequestId: false,
      trace: null,
    };
    const rawHeaders = ['Host', 'a', ...FORGED.flatMap((name) => [name, 'forged']), 'X-SSL-Clients', 'mine'];
    const head = readHead({ method: 'GET', target: '/', version: '1.1', rawHeaders });
    const peer = { address: '10.0.0.1', isTrusted: true, isTls: true, localPort: 443 };
    const certificateFields = ['X-SSL-Client-Verify', 'NONE'];
    const { headers } = requestHeaders(head, rawHeaders, { ...peer, certificateFields }, policy);
    assert.ok(!headers.includes('forged'));
    assert.ok(headers.includes('mine'));
    assert.deepEqual(headers.slice(-2), certificateFields);
  }
  assert.deepEqual(trailerFields(FORGED.flatMap((name) => [name, 'forged'])), []);
  assert.ok(!isClientCertificateField('x-ssl-clients'));
});
