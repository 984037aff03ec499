import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startBackend } from '../support/backends.ts';
import { ask, dial } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { guard } from '../support/guard.ts';
import { noProc } from '../support/processes.ts';
import { type LogEntry, temporaryFolder, writeConfig } from '../support/router.ts';

const COMMAND = fileURLToPath(new URL('../../bin/hipache.js', import.meta.url));

/** A router whose processes may have 200 files open. */
async function startWithFewFiles(t: TestContext, routes: Readonly<Record<string, readonly string[]>>) {
  const config = writeConfig(temporaryFolder(t), { routes });
  const script = 'ulimit -n 200; exec "$0" "$@"';
  const child = spawn('sh', ['-c', script, process.execPath, COMMAND, '--config', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  guard(child);
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  const log: LogEntry[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(JSON.parse(line) as LogEntry));
  const event = (name: string): Promise<LogEntry> =>
    eventually(() => {
      const entry = log.find((each) => each.event === name);
      assert.ok(entry, JSON.stringify(log));
      return entry;
    }, 20_000);
  const port = Number(new URL(((await event('ready'))['listening'] as string[])[0] ?? '').port);
  return { port, log, event };
}

test(
  'connections to backends that are idle make room for others, and no site is refused',
  { skip: noProc },
  async (t) => {
    const routes: Record<string, readonly string[]> = {};
    for (let i = 0; i < 250; i++) {
      const backend = await startBackend(t, (_request, response) => response.end(`of ${i}`));
      routes[`site-${i}.test`] = [`site ${i}`, backend.url];
    }
    const { port, log } = await startWithFewFiles(t, routes);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    // More than there are descriptors, each of which stays open.
    for (let i = 0; i < 250; i++) {
      const { status, body } = await ask({ port, host: `site-${i}.test`, agent });
      assert.deepEqual([status, body], [200, `of ${i}`]);
    }
    assert.deepEqual(
      log.filter(({ level }) => level === 'error'),
      [],
    );
  },
);

test(
  'with few open files connections that are idle make room, and backends still find descriptors',
  { skip: noProc },
  async (t) => {
    const backend = await startBackend(t, (_request, response) => void setTimeout(() => response.end('ok'), 50));
    const { port, log, event } = await startWithFewFiles(t, { 'site.test': ['site', backend.url] });
    const { files, connections } = await event('few-files');
    assert.deepEqual({ files, connections }, { files: 200, connections: 75 });

    const idle: Socket[] = [];
    let closed = 0;
    for (let i = 0; i < 100; i++) {
      const socket = await dial(port);
      socket.resume().once('close', () => closed++);
      idle.push(socket);
    }
    await eventually(() => assert.equal(closed, 25));
    const from = performance.now();
    const { status } = await ask({ port });
    assert.equal(status, 200);
    assert.ok(performance.now() - from < 5_000);
    // There are descriptors for as many backends.
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    t.after(() => agent.destroy());
    const asked = await Promise.all(Array.from({ length: 100 }, () => ask({ port, path: '/slow', agent })));
    assert.deepEqual(new Set(asked.map((answer) => answer.status)), new Set([200]));
    await event('connections-full');
    for (const socket of idle) socket.destroy();
    assert.equal((await ask({ port })).status, 200);
    assert.deepEqual(
      log.filter(({ level }) => level === 'error'),
      [],
    );
  },
);
