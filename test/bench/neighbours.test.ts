/** B's client and A's attacks, against real servers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { attacks } from '../../bench/attacks/all.ts';
import { childCommand } from '../../bench/child.ts';
import { allowedCores } from '../../bench/cores.ts';
import { parseAttack, parseNeighbour } from '../../bench/measure/attacks.ts';
import { parseResponse } from '../../bench/neighbours/connections.ts';
import { SITES, siteHost } from '../../bench/neighbours/tenants.ts';
import { find } from '../../bench/tools.ts';
import { noProc } from '../support/processes.ts';
import { own } from './processes.ts';

const LIMIT_MS = 20_000;
const skip = noProc || (find('taskset') === null ? 'there is no taskset' : false);
const cores = allowedCores();

/** A server with WebSockets. @returns its port, and how many connections it has had */
async function start(t: TestContext, listener: RequestListener): Promise<{ port: number; connections: () => number }> {
  const server = createServer(listener);
  const sockets = new WebSocketServer({ server });
  let connections = 0;
  server.on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    sockets.close();
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

test(
  'a latency of B counts from the time at which its request was due, and requests go out beside one that hangs',
  { skip },
  async (t) => {
    let count = 0;
    const { port, connections } = await start(t, (_request, response) => {
      // One of a hundred.
      if (++count !== 50) response.end('x'.repeat(20));
      else setTimeout(() => response.end('x'.repeat(20)), 500);
    });
    const said = await own(t).run(childCommand('neighbour', String(port), '100', '0', '1'), cores, LIMIT_MS);
    assert.match(said, /requests=100 errors=0 /);
    const { maxMs, p50Ms } = parseNeighbour(said);
    assert.ok(maxMs >= 500, `max ${maxMs}`);
    assert.ok(p50Ms < 250, `p50 ${p50Ms}`);
    assert.ok(connections() >= 10);
  },
);

test('a refusal, a broken connection and a server that is gone are errors of B', { skip }, async (t) => {
  let count = 0;
  const { port } = await start(t, (request, response) => {
    count++;
    if (count % 10 === 1) response.writeHead(503).end();
    else if (count % 10 === 2) request.socket.destroy();
    else response.end('x'.repeat(20));
  });
  const said = await own(t).run(childCommand('neighbour', String(port), '50', '0', '1'), cores, LIMIT_MS);
  assert.equal(parseNeighbour(said).errors, 10);
});

for (const { name } of attacks) {
  test(`the attack ${name} acts for its time, and ends`, { skip }, async (t) => {
    const hosts = new Set<string>();
    const { port, connections } = await start(t, (request, response) => {
      hosts.add(request.headers.host ?? '');
      // Backends of some sites are silent.
      if (request.headers.host !== siteHost('hang')) response.end('x'.repeat(20));
    });
    const said = await own(t).run(childCommand('attack', name, String(port), String(port), '1'), cores, LIMIT_MS);
    if (name === 'none') {
      assert.equal(connections(), 0);
      return;
    }
    assert.ok(parseAttack(said) > 10, said);
    assert.ok(connections() > 0);
    const site = SITES.find((each) => each.name === name);
    if (site !== undefined && name !== 'websockets') assert.deepEqual([...hosts], [siteHost(name)]);
    if (name === 'hosts') assert.ok(hosts.size > 10);
  });
}

test('every site of A has an attack', () => {
  for (const { name } of SITES)
    assert.ok(
      attacks.some((attack) => attack.name === name),
      name,
    );
});

test('responses end with their length, or with their last chunk', () => {
  assert.equal(parseResponse('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n'), null);
  assert.equal(parseResponse('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx'), null);
  assert.deepEqual(parseResponse('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nxx'), { status: 200, closes: false });
  const chunked = 'HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n';
  assert.equal(parseResponse(chunked), null);
  assert.deepEqual(parseResponse(`${chunked}0\r\n\r\n`), { status: 404, closes: true });
});

test('what a client does not say is an error', () => {
  assert.throws(() => parseNeighbour('figures requests=0 errors=0 p50=0 p99=0 max=0'), /nothing was measured/);
  assert.throws(() => parseAttack('Error: no'), /the attack has failed: Error: no/);
});
