/** `npm run demo`, used the way its own words say. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/ports.ts';

const PATIENCE_MS = 20_000;

/** A demo that runs, in a process group of its own, as a shell starts it. */
class Demo {
  readonly lines: string[] = [];
  readonly #child;
  readonly #exit: Promise<number | null>;

  constructor(t: TestContext, port: number) {
    const env = { ...process.env, PORT: String(port) };
    const script = join(packageRoot, 'scripts/demo.mjs');
    this.#child = spawn(process.execPath, [script], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#exit = once(this.#child, 'close').then(([code]) => code as number | null);
    for (const input of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input }).on('line', (line) => this.lines.push(line));
    }
    t.after(() => this.signal('SIGKILL'));
  }

  get #group(): number {
    return this.#child.pid ?? assert.fail('the demo did not start');
  }

  /** The first line that matches, once it has been printed. */
  async line(pattern: RegExp): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line));
      if (found !== undefined) return found.trim();
      assert.ok(Date.now() < deadline && this.#child.exitCode === null, `no ${pattern} in:\n${this.lines.join('\n')}`);
      const timeout = AbortSignal.timeout(PATIENCE_MS);
      await Promise.race([once(this.#child.stdout, 'data', { signal: timeout }).catch(() => {}), this.#exit]);
    }
  }

  /** The port of the URL that it printed. */
  async port(): Promise<number> {
    return Number(/localhost:([0-9]+)/.exec(await this.line(/^hipache routes http:/))?.[1]);
  }

  /** To the demo alone, or to all its processes, as a terminal does. */
  signal(signal: NodeJS.Signals, toAll = signal === 'SIGKILL'): void {
    try {
      process.kill(toAll ? -this.#group : this.#group, signal);
    } catch {
      // It has ended already.
    }
  }

  exited(): Promise<number | null> {
    return this.#exit;
  }

  /** Whether any process that it started, or it itself, is still there. */
  get isAlive(): boolean {
    try {
      return process.kill(-this.#group, 0);
    } catch {
      return false;
    }
  }
}

test('the demo routes, follows its routes file as printed, and ends whole on an interrupt', async (t) => {
  const demo = new Demo(t, 0);
  const port = await demo.port();
  await demo.line(/Hello from backend (?:north|south)/);
  await demo.line(/backend (?:north|south) heard: hello/);
  const edit = await demo.line(/^ +echo /);
  const routes = edit.split(' > ')[1] ?? '';

  const names = new Set<string | undefined>();
  for (let i = 0; names.size < 2 && i < 100; i++) {
    const { status, body } = await ask({ port, host: 'demo.localhost' });
    assert.equal(status, 200);
    names.add(/backend (\w+)/.exec(body)?.[1]);
  }
  assert.deepEqual(names, new Set(['north', 'south']));
  assert.equal((await ask({ port, host: 'new.localhost' })).status, 400);

  assert.equal(spawnSync('sh', ['-c', edit]).status, 0);
  await demo.line(/^router: .*routes\.json: 2 frontends$/);
  // The master has read it; the workers are told now.
  await eventually(async () => {
    for (let i = 0; i < 10; i++) {
      assert.match((await ask({ port, host: 'new.localhost' })).body, /backend south/);
      assert.match((await ask({ port, host: 'demo.localhost' })).body, /backend north/);
    }
  });
  await demo.line(/"GET \/ HTTP\/1\.1" 400 /);

  demo.signal('SIGINT');
  assert.equal(await demo.exited(), 0);
  assert.equal(demo.isAlive, false);
  assert.equal(existsSync(dirname(routes)), false);
});

test('the demo has a dashboard, and its commands explain', async (t) => {
  const demo = new Demo(t, 0);
  const page = await demo.line(/^ +http:\/\/127\.0\.0\.1:[0-9]+\/$/);
  assert.equal((await fetch(page)).status, 200);
  const command = await demo.line(/^ +node dist\/bin\/hipache\.js route explain /);
  const { status, stdout } = spawnSync('sh', ['-c', command], { cwd: packageRoot, encoding: 'utf8' });
  assert.equal(status, 0);
  assert.match(stdout, /one of 2 living backends of 2/);
  assert.match(stdout, /remembers demo\.localhost/);
  const edit = JSON.stringify(['new', 'http://127.0.0.1:1']);
  const { status: written } = await fetch(`${page}api/v1/frontends/new.localhost`, { method: 'PUT', body: edit });
  assert.equal(written, 201);
  demo.signal('SIGINT');
  assert.equal(await demo.exited(), 0);
});

test('the configuration for Redis that the demo writes is sound', async (t) => {
  const demo = new Demo(t, 0);
  const command = await demo.line(/^ +node dist\/bin\/hipache\.js --config /);
  const { status, stdout } = spawnSync('sh', ['-c', `${command} --dry`], { cwd: packageRoot, encoding: 'utf8' });
  assert.equal(status, 0);
  assert.match(stdout, /"driver": "redis:\/\/127\.0\.0\.1:6379"/);
  // As Ctrl-C in a terminal: every process gets it.
  demo.signal('SIGINT', true);
  assert.equal(await demo.exited(), 0);
  assert.equal(demo.isAlive, false);
});

test('a demo whose port is taken says so and takes another', async (t) => {
  const taken = await freePort();
  const holder = createServer().listen(taken, '127.0.0.1');
  t.after(() => holder.close());
  await once(holder, 'listening');
  const demo = new Demo(t, taken);
  const port = await demo.port();
  assert.notEqual(port, taken);
  await demo.line(new RegExp(`^Port ${taken} is taken by another program: the demo uses port ${port} instead`));
  assert.equal((await ask({ port, host: 'demo.localhost' })).status, 200);
  demo.signal('SIGTERM');
  assert.equal(await demo.exited(), 0);
});
