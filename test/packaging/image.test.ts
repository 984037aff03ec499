/** The image of packaging/image/Dockerfile: built, and run as a container engine would. */
// @one-lane: it is about files, a user and variables
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { version } from '../../lib/core/version.ts';
import { guard } from '../support/guard.ts';
import { freePort } from '../support/ports.ts';
import { startRedis } from '../support/redis.ts';
import { missing } from '../support/tools.ts';

/** Longer than a build takes on a busy machine, ms. */
const PATIENCE_MS = 120_000;

/** Why no image can be built here; false when it can. */
function noImages(): string | false {
  if (missing('buildah') !== false) return missing('buildah');
  if (process.getuid?.() !== 0) return 'only root can mount the file system of an image';
  return spawnSync('unshare', ['--mount', 'true']).status === 0 ? false : 'this machine has no mount namespaces';
}

interface Image {
  /** Its file system. */
  readonly root: string;
  readonly config: {
    readonly User: string;
    readonly Entrypoint: readonly string[];
    readonly Healthcheck: { readonly Test: readonly string[] };
    readonly ExposedPorts: Readonly<Record<string, object>>;
  };
}

/** Builds the image, with the Node of this machine: no base image is pulled. */
function build(t: TestContext): Image {
  const folder = mkdtempSync(join(tmpdir(), 'hipache-images-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const storage = join(folder, 'storage.conf');
  const [graph, runtime] = [join(folder, 'graph'), join(folder, 'run')];
  writeFileSync(storage, `[storage]\ndriver = "vfs"\ngraphroot = "${graph}"\nrunroot = "${runtime}"\n`);
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, args, {
      env: { ...process.env, CONTAINERS_STORAGE_CONF: storage },
      encoding: 'utf8',
      timeout: PATIENCE_MS,
    }).trim();
  const image = run(process.execPath, join(packageRoot, 'scripts/build-image.mjs'), '--this-node');
  assert.equal(image, `localhost/hipache:${version}`);
  const about = JSON.parse(run('buildah', 'inspect', '--type', 'image', image)) as {
    readonly Docker: { readonly config: Image['config'] };
  };
  return { root: run('buildah', 'mount', run('buildah', 'from', image)), config: about.Docker.config };
}

test(
  'the image serves with a read-only file system and no rights, by its environment, and reports its health',
  { skip: noImages() },
  async (t) => {
    const { root, config } = build(t);
    assert.equal(config.User, '65532:65532');
    assert.deepEqual(Object.keys(config.ExposedPorts), ['8080/tcp']);
    const [kind, ...health] = config.Healthcheck.Test;
    assert.equal(kind, 'CMD');

    const redis = await startRedis(t);
    await redis.cli('rpush', 'frontend:www.x.com', 'site', 'redirect://there.test/');
    const [port, adminPort] = await Promise.all([freePort(), freePort()]);
    const env = {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      HIPACHE_DRIVER: `redis://127.0.0.1:${redis.port}`,
      HIPACHE_HTTP_BIND: '127.0.0.1',
      HIPACHE_HTTP_PORT: String(port),
      HIPACHE_ADMIN_PORT: String(adminPort),
      HIPACHE_SERVER_WORKERS: '1',
    };
    const script = join(packageRoot, 'test/packaging/run-image.sh');
    const inImage = (command: readonly string[]) => ['--mount', 'sh', script, root, config.User, ...command];
    const ask = (...args: string[]) => {
      const { status, stdout } = spawnSync('unshare', inImage(args), { env, encoding: 'utf8', timeout: PATIENCE_MS });
      return [status, stdout];
    };

    assert.deepEqual(ask(...config.Entrypoint, '--version'), [0, `${version}\n`]);
    assert.equal(ask(...health)[0], 1);
    const router = spawn('unshare', inImage(config.Entrypoint), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    guard(router);
    const lines: string[] = [];
    createInterface({ input: router.stderr }).on('line', (line) => lines.push(line));
    createInterface({ input: router.stdout }).on('line', (line) => lines.push(line));
    const said = async (text: string): Promise<void> => {
      while (!lines.some((line) => line.includes(text))) {
        assert.equal(router.exitCode, null, lines.join('\n'));
        await Promise.race([once(router.stderr, 'data'), once(router.stdout, 'data'), once(router, 'exit')]);
      }
    };
    await said('"event":"ready"');
    await said('"event":"admin-ready"');
    const asking = get({ host: '127.0.0.1', port, headers: { host: 'www.x.com' }, agent: false });
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    assert.equal(response.headers.location, 'http://there.test/');
    response.resume();
    assert.deepEqual(ask(...health), [0, 'ready\n']);
    assert.match(String(ask(...config.Entrypoint, 'route', 'list')[1]), /www\.x\.com/);
    assert.match(String(ask(...config.Entrypoint, 'route', 'explain', 'www.x.com')[1]), /there\.test/);
    const uid = execFileSync('ps', ['-o', 'uid=', '-p', String(router.pid)], { encoding: 'utf8' }).trim();
    assert.equal(uid, '65532');
    router.kill('SIGTERM');
    const [code] = (await once(router, 'exit')) as [number | null];
    assert.equal(code, 0);
  },
);
