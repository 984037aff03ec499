/** Commands of README, docs/requests.md and docs/how-to that ask a running router: each succeeds as it is written. */
// @one-lane: commands ask the admin interface
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { packageRoot } from '../../lib/config/package.ts';
import { adminOf } from '../support/admin.ts';
import { startBackend } from '../support/backends.ts';
import { PROGRAM } from '../support/command.ts';
import { commandsOf } from '../support/markdown.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

const DOCUMENTS = [
  'README.md',
  'docs/requests.md',
  ...['deploy', 'deploy-site', 'provision', 'drain', 'alerts', 'debug-502', 'start-problems'].map(
    (name) => `docs/how-to/${name}.md`,
  ),
];

/** These need a service manager or root, or do not end; other tests have the packages, upgrades and services. */
const NOT_HERE = /^(?:sudo|systemctl|journalctl|npm|redis-cli subscribe)\b/;

const run = promisify(execFile);

test('commands that ask a running router succeed as the documents have them', async (t) => {
  const redis = await startRedis(t);
  const [first, second] = await Promise.all([
    startBackend(t, (_request, response) => response.end('first')),
    startBackend(t, (_request, response) => response.end('second')),
  ]);
  const pidFile = join(temporaryFolder(t), 'hipache.pid');
  const driver = `redis://127.0.0.1:${redis.port}`;
  const router = await startRouter(t, {
    server: { pidFile },
    config: { driver, admin: { bind: '127.0.0.1', port: 0 } },
  });
  const address = await adminOf(router);
  assert.ok('port' in address);
  const admin = `http://127.0.0.1:${address.port}`;
  const site = `http://127.0.0.1:${router.port}/`;

  /** A command of the documents, with the addresses of this test. */
  const own = (command: string): string =>
    command
      .replaceAll(/http:\/\/(?:127\.0\.0\.1|10\.0\.0\.1):8081/g, admin)
      .replaceAll('http://10.0.0.2:8080', second.url)
      .replaceAll('http://10.0.0.1:8080/', `${first.url}/`)
      .replaceAll(/http:\/\/(?:127\.0\.0\.1|10\.0\.0\.1)\/$/g, site)
      .replaceAll(/http:\/\/(www\.\w+\.com)\//g, `-H 'Host: $1' ${site}`)
      .replaceAll('/etc/hipache.json', join(router.folder, 'config.json'))
      .replaceAll('/run/hipache.pid', pidFile)
      .replaceAll(/^(hipache (?:route|lint) ?.*)$/g, `$1 --driver ${driver}`)
      .replaceAll(/^(hipache top .*)$/g, `$1 --admin ${admin}`)
      .replaceAll(/(?<= |^)hipache /g, `"${process.execPath}" "${PROGRAM}" `)
      .replaceAll(/^curl /g, 'curl --fail ')
      .replaceAll(/(?<=^|\| )redis-cli\b/g, `redis-cli -p ${redis.port}`);

  let count = 0;
  for (const name of DOCUMENTS) {
    for (const { command } of commandsOf(readFileSync(join(packageRoot, name), 'utf8'))) {
      if (NOT_HERE.test(command)) continue;
      for (const host of ['www.example.com', 'www.dotcloud.com']) {
        await redis.cli('del', `frontend:${host}`);
        await redis.cli('rpush', `frontend:${host}`, 'site', first.url, second.url);
      }
      await run('bash', ['-o', 'pipefail', '-c', own(command)], { timeout: 20_000 }).catch((error: unknown) => {
        assert.fail(`${name}: ${command}\n${own(command)}\n${String(error)}`);
      });
      count++;
    }
  }
  assert.ok(count > 20, `${count} commands`);
  await router.event('reloaded');
});
