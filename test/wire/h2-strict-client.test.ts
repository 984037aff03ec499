/** python3-h2 as a client that accepts no frame which RFC 9113 does not allow. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startBackend } from '../support/backends.ts';
import { fileOwner } from '../support/file-owner.ts';
import { guard } from '../support/guard.ts';
import { propertyRuns } from '../support/random.ts';
import { type Router, startRouter } from '../support/router.ts';

const CLIENT = fileURLToPath(new URL('../../../test/support/strict-http2-client.py', import.meta.url));
const REQUESTS = 150;

/** A Python that has the package; undefined where none has. Debian's own may not be the first one. */
const python = ['python3', '/usr/bin/python3'].find(
  (each) => spawnSync(each, ['-c', 'import h2'], { stdio: 'ignore' }).status === 0,
);

const owner = fileOwner();
let started: Promise<Router> | null = null;

async function start(): Promise<Router> {
  const backend = await startBackend(owner, (request, response) => request.pipe(response));
  const config = { http: { port: 0, bind: ['127.0.0.1'], http2: true } };
  return startRouter(owner, { config, routes: { 'site.test': ['site', backend.url] } });
}

for (let seed = 1; seed <= propertyRuns(4); seed++) {
  test(
    `a strict client gets legal frames and whole bodies, whatever it changes meanwhile (${seed})`,
    { skip: python === undefined && 'there is no python3-h2' },
    async () => {
      started ??= start();
      const router = await started;
      const args = [CLIENT, String(router.port), String(seed), String(REQUESTS)];
      const client = spawn(python ?? '', args, { stdio: ['ignore', 'pipe', 'pipe'] });
      guard(client);
      let output = '';
      client.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
      client.stderr.on('data', (bytes: Buffer) => (output += bytes.toString()));
      const [code] = (await once(client, 'close')) as [number | null];
      assert.equal(code, 0, output);
      const [done = 0, resets = 0] = output.split(' ').map(Number);
      assert.equal(done + resets, REQUESTS);
      assert.ok(done > REQUESTS / 2);
    },
  );
}
