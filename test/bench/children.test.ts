/** The benchmark's own programs, against real servers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { makeCertificate } from '../../bench/certificate.ts';
import { childCommand } from '../../bench/child.ts';
import { allowedCores } from '../../bench/cores.ts';
import { callOnce } from '../../bench/grpc.ts';
import { parseHandshakes, type Handshake } from '../../bench/measure/handshakes.ts';
import { find } from '../../bench/tools.ts';
import { GRPC_HOST, hostOf } from '../../bench/wrk.ts';
import { eventually } from '../support/eventually.ts';
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

test('WebSockets that are to be idle are all open, and have carried a message', { skip }, async (t) => {
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.after(() => sockets.close());
  await once(sockets, 'listening');
  let messages = 0;
  sockets.on('connection', (socket) =>
    socket.on('message', (data) => {
      messages++;
      socket.send(data);
    }),
  );
  const { port } = sockets.address() as AddressInfo;
  const holder = await own(t).start(childCommand('idle-websockets', ...[port, 1, 40].map(String)), cores);
  await eventually(() => assert.match(holder.said(), /^idle\n$/));
  assert.deepEqual([sockets.clients.size, messages], [40, 40]);
});

test('a gRPC server that is only starting is waited for, and says what it was told', { skip }, async (t) => {
  const port = await freePort();
  await own(t).start(childCommand('grpc', String(port)), cores);
  await callOnce(port, GRPC_HOST);
});
