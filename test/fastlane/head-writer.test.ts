/** The fast lane's heads are those of core/request-headers.ts, to the letter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Peer } from '../../lib/core/http/forwarded.ts';
import { readHead } from '../../lib/core/http/request-head.ts';
import { type RequestHeaderPolicy, requestHeaders } from '../../lib/core/http/request-headers.ts';
import { traceparent, type TracePolicy } from '../../lib/core/trace-context.ts';
import { HeadWriter } from '../../lib/fastlane/head-writer.ts';
import { fieldLines, rawFields } from '../../lib/http1/field-lines.ts';
import { readRequest } from '../../lib/fastlane/request-grammar.ts';
import { propertyRuns } from '../support/random.ts';

const line = fc.constantFrom(
  'Accept: */*',
  'aCCept:text/html',
  'User-Agent: \t x ',
  'Cookie: a=1',
  'cookie: b=2',
  'X-Empty:',
  'Connection: keep-alive',
  'Connection: close',
  'connection: X-Gone, te, host',
  'X-Gone: 1',
  'Keep-Alive: timeout=5',
  'TE: trailers',
  'Trailer: X-Sum',
  'X-Forwarded-For: 198.51.100.7, 10.0.0.9',
  'x-forwarded-for: 10.0.0.8',
  'X-Forwarded-Proto: https',
  'X_Forwarded_Host: x',
  'X-Real-IP: 1.2.3.4',
  'Forwarded: for=1.2.3.4',
  'X-SSL-Client-Verify: SUCCESS',
  'x_ssl_client_dn: CN=forged',
  'X-SSL-Clients: mine',
  'X-Request-Id: good-one',
  'X-Request-Id: not a good one',
  'X_Request_Id: alias',
  'X_Request-Id: alias',
  'X!Forwarded.For: 6.6.6.6',
  'Content_Length: 7',
  'Transfer_Encoding: chunked',
  'Proxy: http://evil.test',
  'Content-Type: text/plain',
  'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'TraceParent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02',
  'traceparent: 00-not-valid-01',
  'traceparent:',
  'tracestate: a=1,b=2',
  'TraceState:c=3 ',
  'tracestate: ',
);

const peer: fc.Arbitrary<Peer> = fc.record(
  {
    address: fc.constantFrom('203.0.113.9', '2001:db8::1', ''),
    isTrusted: fc.boolean(),
    isTls: fc.boolean(),
    localPort: fc.constantFrom(80, 8443),
    certificateFields: fc.constantFrom(['X-SSL-Client-Verify', 'SUCCESS', 'X-SSL-Client-DN', 'CN=x']),
  },
  { requiredKeys: ['address', 'isTrusted', 'isTls', 'localPort'] },
);

const trace: fc.Arbitrary<TracePolicy> = fc.record({
  randomHex: fc.constant((bytes: number) => 'a5'.repeat(bytes)),
  random: fc.constant(() => 0.5),
  sample: fc.constantFrom(0, 1),
  obeysTrusted: fc.boolean(),
});

const policy: fc.Arbitrary<RequestHeaderPolicy> = fc.record({
  style: fc.constantFrom('standard', 'hipache'),
  isTrusted: fc.constant((address: string) => address.startsWith('10.')),
  serverName: fc.constant('router1'),
  makeRequestId: fc.constantFrom(null, () => 'made-here'),
  tellsRequestId: fc.boolean(),
  trace: fc.option(trace),
});

test('whatever a plain request brings, from whomever', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
      fc.array(line, { maxLength: 6 }),
      fc.constantFrom(
        '',
        'Content-Length: 3',
        'Content-Length: 007',
        'Transfer-Encoding: chunked',
        'transfer-encoding: CHUNKED',
      ),
      fc.constantFrom('Host: a.test:81', 'host:a.test'),
      peer,
      policy,
      fc.boolean(),
      (method, lines, framing, host, who, how, isKeeping) => {
        const fields = [...lines.slice(0, 3), host, ...lines.slice(3), ...(framing === '' ? [] : [framing])];
        const text = `${method} /p?q HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`;
        const read = readRequest(text);
        assert.ok(read?.isPlain);
        const raw = rawFields(text);
        const strict = readHead({ method, target: '/p?q', version: '1.1', rawHeaders: raw });
        const wanted = requestHeaders(strict, raw, who, how);
        const end = `Connection: ${isKeeping ? 'keep-alive' : 'close'}\r\n\r\n`;
        const written = new HeadWriter(who, how, isKeeping).write(read);
        const parent = wanted.trace === null ? [] : ['traceparent', traceparent(wanted.trace, 0)];
        const fieldsWanted = fieldLines([...wanted.headers, ...parent]);
        assert.equal(written.text, `${method} /p?q HTTP/1.1\r\n${fieldsWanted}${end}`);
        assert.deepEqual(written.trace, wanted.trace);
        assert.equal(written.clientIp, wanted.clientIp);
        assert.equal(written.responseFields, fieldLines(wanted.responseFields));
      },
    ),
    { numRuns: propertyRuns(5000) },
  );
});
