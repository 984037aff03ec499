/** Sockets that systemd or Server::Starter opened, and what systemd is told: both are played, byte for byte. */
// @one-lane: the master has the sockets
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BoundSocket } from '../../lib/cluster/master/bound-socket.ts';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { guard } from '../support/guard.ts';
import { noProc } from '../support/processes.ts';
import { temporaryFolder, writeConfig } from '../support/router.ts';

const COMMAND = fileURLToPath(new URL('../../bin/hipache.js', import.meta.url));

interface Listening {
  readonly server: Server;
  readonly fd: number;
  readonly port: number;
}

/** A socket that listens, for a child to be started with. */
async function listeningSocket(address = '127.0.0.1'): Promise<Listening> {
  const { handle, fd, port } = BoundSocket.bind(address, 0);
  const server = createServer().listen(handle);
  await once(server, 'listening');
  return { server, fd, port };
}

interface Started {
  readonly child: ChildProcess;
  /** Resolves with its exit code. */
  readonly exited: Promise<number | null>;
  /** Resolves when a line on standard error names this event. */
  readonly event: (name: string) => Promise<void>;
}

/** Starts a router with a socket as descriptor 3, by a shell that sets the variables and becomes the router. */
function startWith(t: TestContext, socket: Listening | null, config: string, variables: string): Started {
  const script = `export ${variables}; exec "$0" "$@"`;
  const child = spawn('sh', ['-c', script, process.execPath, COMMAND, '--config', config], {
    stdio: ['ignore', 'ignore', 'pipe', socket?.fd ?? 'ignore'],
  });
  guard(child);
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  // The child has it; here it would accept.
  socket?.server.close();
  t.after(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => lines.push(line));
  return {
    child,
    exited,
    event: (name) =>
      eventually(
        () =>
          assert.ok(
            lines.some((line) => line.includes(`"event":"${name}"`)),
            lines.join('\n'),
          ),
        20_000,
      ),
  };
}

async function configFor(t: TestContext, listeners: object): Promise<string> {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const config = { http: listeners };
  return writeConfig(temporaryFolder(t), { routes: { 'site.test': ['site', backend.url] }, config });
}

for (const [who, variables] of [
  ['systemd', () => 'LISTEN_PID=$$ LISTEN_FDS=1'],
  ['Server::Starter', (port: number) => `SERVER_STARTER_PORT=127.0.0.1:${port}=3`],
  ['Server::Starter, by port alone,', (port: number) => `SERVER_STARTER_PORT=${port}=3`],
] as const) {
  test(`a socket that ${who} passes on is listened on, before and after a reload`, async (t) => {
    const socket = await listeningSocket();
    const { port } = socket;
    const config = await configFor(t, { port, bind: ['127.0.0.1'] });
    const { child, event } = startWith(t, socket, config, variables(port));
    // Whoever connects while the router starts is not refused: the socket is open, and waits.
    const early = ask({ port });
    await event('ready');
    assert.equal((await early).body, 'ok');
    child.kill('SIGHUP');
    await event('reloaded');
    assert.equal((await ask({ port })).body, 'ok');
  });
}

test('a socket for any address serves a listener for one', async (t) => {
  const socket = await listeningSocket('0.0.0.0');
  const { port } = socket;
  const config = await configFor(t, { port, bind: ['127.0.0.1'] });
  const { event } = startWith(t, socket, config, 'LISTEN_PID=$$ LISTEN_FDS=1');
  await event('ready');
  assert.equal((await ask({ port })).body, 'ok');
});

test('a socket that no listener is configured for is let go of, and that is said', async (t) => {
  const socket = await listeningSocket();
  const { port } = socket;
  const config = await configFor(t, { port: 0, bind: ['127.0.0.1'] });
  const { event } = startWith(t, socket, config, 'LISTEN_PID=$$ LISTEN_FDS=1');
  await event('socket-unused');
  await event('ready');
  await assert.rejects(ask({ port }), { code: 'ECONNREFUSED' });
});

const PLAYER = `
  socket(my $socket, PF_UNIX, SOCK_DGRAM, 0) or die; bind($socket, sockaddr_un($ARGV[0])) or die;
  $| = 1; print "bound\\n";
  while (defined recv($socket, my $said, 65536, 0)) { $said =~ s/\\n/|/g; print "$said\\n" }`;

const lacks = ['perl', 'systemd-notify'].find((name) => spawnSync(name, ['--version']).status !== 0);

test(
  'systemd is sent when the router serves, reloads and stops, that it lives, and which changes were refused',
  { skip: noProc || (lacks !== undefined && `${lacks} is missing`) },
  async (t) => {
    const path = join(temporaryFolder(t), 'notify');
    const player = spawn('perl', ['-MSocket', '-e', PLAYER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    guard(player);
    t.after(() => player.kill('SIGKILL'));
    const said: string[] = [];
    createInterface({ input: player.stdout }).on('line', (line) => said.push(line));
    const hear = (pattern: RegExp, from = 0): Promise<number> =>
      eventually(() => {
        const at = said.findIndex((line, index) => index >= from && pattern.test(line));
        assert.ok(at >= 0, said.join('\n'));
        return at;
      }, 20_000);
    await hear(/^bound$/);
    const config = await configFor(t, { port: 0, bind: ['127.0.0.1'] });
    const { child, exited } = startWith(t, null, config, `NOTIFY_SOCKET=${path} WATCHDOG_USEC=400000 WATCHDOG_PID=$$`);
    const ready = await hear(new RegExp(`^READY=1\\|MAINPID=${child.pid}\\|STATUS=serving on http://127`));
    await hear(/^WATCHDOG=1$/, ready);
    child.kill('SIGHUP');
    const reloading = await hear(/^RELOADING=1\|MONOTONIC_USEC=[0-9]+$/, ready);
    const reloaded = await hear(
      new RegExp(`^READY=1\\|MAINPID=${child.pid}\\|STATUS=serving on http://127`),
      reloading,
    );
    const good = readFileSync(config, 'utf8');
    writeFileSync(config, '{ "server": { "workers": "none" } }');
    child.kill('SIGHUP');
    const refused = /STATUS=reload refused: [^|]*server\.workers[^|]*; serving on http:\/\/127/;
    const kept = await hear(new RegExp(`^READY=1\\|MAINPID=${child.pid}\\|${refused.source}`), reloaded);
    child.kill('SIGUSR2');
    const both = await hear(/^STATUS=reload refused: .*; upgrade refused: .*; serving on /, kept);
    writeFileSync(config, good);
    const routes = join(dirname(config), 'routes.json');
    writeFileSync(routes, '{');
    const broken = await hear(
      /^STATUS=reload refused: .*; upgrade refused: .*; routes file refused: .*; serving on /,
      both,
    );
    writeFileSync(routes, '{}');
    const mended = await hear(/^STATUS=reload refused: .*; upgrade refused: [^;]*; serving on /, broken);
    child.kill('SIGHUP');
    await hear(/^READY=1\|MAINPID=\d+\|STATUS=upgrade refused: [^;]*; serving on /, mended);
    child.kill('SIGTERM');
    await hear(/^STOPPING=1$/, reloading);
    assert.equal(await exited, 0);
  },
);
