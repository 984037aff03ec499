/** Options that cannot be used: createRouter rejects in the words of the command. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ConfigError, createRouter, siteFeature, type RouterOptions } from '../../lib/library/index.ts';
import { temporaryFolder } from '../support/router.ts';

const COMMAND = fileURLToPath(new URL('../../bin/hipache.js', import.meta.url));

async function faultsOf(options: RouterOptions): Promise<readonly string[]> {
  try {
    const router = await createRouter(options);
    await router.close();
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

test('a bad configuration rejects with every fault, as the command prints them', async (t) => {
  const config = {
    server: { worker: 4, deadBackendTTL: -1, accessLog: null },
    http: { port: 70_000 },
    nonsense: true,
    user: 'root',
  };
  const faults = await faultsOf({ config });
  assert.equal(faults.length, 4);
  const path = join(temporaryFolder(t), 'config.json');
  writeFileSync(path, JSON.stringify(config));
  const { stderr } = spawnSync(process.execPath, [COMMAND, '--dry', '--config', path], { encoding: 'utf8' });
  assert.deepEqual(stderr.trimEnd().split('\n'), [...faults, `${path} has 4 faults`]);
  assert.deepEqual(await faultsOf({ config: path }), faults);
  assert.deepEqual(await faultsOf({ config: '/nowhere/hipache.json' }), ['/nowhere/hipache.json: does not exist']);
});

test('routes are in one place only', async () => {
  const store = { find: () => Promise.resolve(null) };
  assert.deepEqual(await faultsOf({ routes: {}, store }), ['routes, store: only one of them can have the routes']);
  assert.deepEqual(await faultsOf({ routes: {}, config: { driver: 'redis:' } }), [
    'routes, config.driver: only one of them can have the routes',
  ]);
});

test('bad routes reject as a routes file is refused', async () => {
  const routes = { 'site.test': [], 'options:site.test': { hsts: {} } } as unknown as NonNullable<
    RouterOptions['routes']
  >;
  await assert.rejects(createRouter({ routes }), {
    message:
      'routes: "site.test" is an empty list; its first element must be a name; ' +
      '"options:site.test" may only have texts, numbers, true and false; "hsts" has another type',
  });
});

test('a feature cannot take a field of another one', async () => {
  const rate = siteFeature({ fields: { rate: () => ({}) }, defaults: {}, behaviour: () => ({}) });
  assert.deepEqual(await faultsOf({ features: [rate] }), ['features: "rate" is an option of the router']);
});

test('keys about processes have no effect', async () => {
  assert.deepEqual(
    await faultsOf({ config: { server: { workers: 8 }, user: 'no-such-user', admin: { port: 1 } } }),
    [],
  );
});
