/** The benchmark's own programs, against real servers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { makeCertificate } from '../../bench/certificate.ts';
import { childCommand } from '../../bench/child.ts';
import { allowedCores } from '../../bench/cores.ts';
import { callOnce } from '../../bench/grpc.ts';
import { parseHandshakes, type Handshake } from '../../bench/measure/handshakes.ts';
import { find } from '../../bench/tools.ts';
import { GRPC_HOST, hostOf } from '../../bench/wrk.ts';
import { noOpenssl } from '../support/certificates.ts';
import { freePort } from '../support/ports.ts';
import { noProc } from '../support/processes.ts';
import { folderOf, own } from './processes.ts';

const LIMIT_MS = 20_000;
const CLIENTS = 4;
const skip = noProc || (find('taskset') === null ? 'there is no taskset' : false);
const cores = allowedCores();

/** A TLS server. @returns its port, and the names it was asked for */
async function startTls(t: TestContext): Promise<{ port: number; names: Set<string> }> {
  const { cert, key } = makeCertificate(folderOf(t));
  const names = new Set<string>();
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
    names.add(request.headers.host ?? '');
    response.end('x'.repeat(20));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, names };
}

for (const kind of ['new', 'resumed'] as const satisfies readonly Handshake[]) {
  test(`handshakes that are to be ${kind} are`, { skip: skip || noOpenssl }, async (t) => {
    const { port, names } = await startTls(t);
    const said = await own(t).run(childCommand('handshakes', ...[port, CLIENTS, 3, kind].map(String)), cores, LIMIT_MS);
    const { made, resumed } = parseHandshakes(said);
    assert.ok(made > CLIENTS);
    assert.equal(resumed, kind === 'new' ? 0 : made - CLIENTS);
    assert.deepEqual(
      [...names].toSorted(),
      Array.from({ length: CLIENTS }, (_, n) => hostOf(n)),
    );
  });
}

test('a gRPC server that is only starting is waited for, and says what it was told', { skip }, async (t) => {
  const port = await freePort();
  await own(t).start(childCommand('grpc', String(port)), cores);
  await callOnce(port, GRPC_HOST);
});
