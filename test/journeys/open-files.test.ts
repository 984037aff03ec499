import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startBackend } from '../support/backends.ts';
import { ask, dial } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { guard } from '../support/guard.ts';
import { noProc } from '../support/processes.ts';
import { type LogEntry, temporaryFolder, writeConfig } from '../support/router.ts';

const COMMAND = fileURLToPath(new URL('../../bin/hipache.js', import.meta.url));

test('with few open files others wait until there is room, and nobody is cut', { skip: noProc }, async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const config = writeConfig(temporaryFolder(t), { routes: { 'site.test': ['site', backend.url] } });
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
  const { files, connections } = await event('few-files');
  assert.deepEqual({ files, connections }, { files: 200, connections: 75 });

  const idle: Socket[] = [];
  let cut = 0;
  for (let i = 0; i < 85; i++) {
    const socket = await dial(port);
    socket.once('close', () => cut++);
    idle.push(socket);
  }
  const waiting = ask({ port });
  let isAnswered = false;
  void waiting.then(() => (isAnswered = true));
  await eventually(() => assert.equal(idle.length, 85));
  assert.equal(isAnswered, false);
  assert.equal(cut, 0);
  for (const socket of idle.slice(0, 40)) socket.destroy();
  assert.equal((await waiting).status, 200);
  for (const socket of idle) socket.destroy();
  assert.equal((await ask({ port })).status, 200);
  assert.deepEqual(
    log.filter(({ level }) => level === 'error'),
    [],
  );
});
