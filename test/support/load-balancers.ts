/** Load balancers as operators run them, in front of the routers of a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { eventually } from './eventually.ts';
import { guard } from './guard.ts';
import { temporaryFolder } from './router.ts';

/** Why tests with HAProxy cannot run here, for `skip`; false when they can. */
export const noHaproxy = missing('haproxy');
/** The same for nginx. */
export const noNginx = missing('nginx');

/** Debian keeps them where only root's PATH leads. */
function folders(): readonly string[] {
  return [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), '/usr/sbin'];
}

function find(name: string): string | null {
  for (const folder of folders()) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // Not there.
    }
  }
  return null;
}

function missing(name: string): string | false {
  return find(name) === null ? `${name} is not installed` : false;
}

/** A server as HAProxy sees it. */
export interface Checked {
  /** `UP`, `DOWN`, or on its way: `UP 1/2`. */
  readonly status: string;
  /** What the last check found: `L7OK`, `L7STS`, `L4CON`; empty before the first. */
  readonly check: string;
}

/**
 * Starts HAProxy with one frontend on `port` that sends all to `backend routers`. It is ended after the test.
 * @returns a function that tells of its servers, by name
 */
export async function startHaproxy(
  t: TestContext,
  port: number,
  routers: string,
): Promise<() => Promise<ReadonlyMap<string, Checked>>> {
  const folder = temporaryFolder(t);
  const file = join(folder, 'haproxy.cfg');
  const control = join(folder, 'control.sock');
  const times = 'timeout connect 2s\n  timeout client 30s\n  timeout server 30s';
  const frontend = `frontend clients\n  bind 127.0.0.1:${port}\n  default_backend routers`;
  writeFileSync(
    file,
    `global\n  stats socket ${control}\ndefaults\n  mode http\n  ${times}\n${frontend}\n${routers}\n`,
  );
  await start(t, port, 'haproxy', ['-db', '-f', file]);
  return async () => {
    const socket = connect(control);
    socket.end('show stat\n');
    const rows = (await text(socket)).split('\n').map((line) => line.split(','));
    const [names = []] = rows;
    const at = (row: readonly string[], name: string): string => row[names.indexOf(name)] ?? '';
    const servers = rows.filter((row) => row[0] === 'routers' && row[1] !== 'BACKEND');
    return new Map(servers.map((row) => [row[1] ?? '', { status: at(row, 'status'), check: at(row, 'check_status') }]));
  };
}

/** Starts nginx with what stands in its `http`, which listens on `port`. It is ended after the test. */
export async function startNginx(t: TestContext, port: number, http: string): Promise<void> {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'tmp'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path tmp/${kind};`,
  );
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const main = `daemon off; worker_processes 1; pid nginx.pid; error_log stderr; ${user} events { }`;
  writeFileSync(join(folder, 'nginx.conf'), `${main}\nhttp {\naccess_log off; ${temporary.join(' ')}\n${http}\n}\n`);
  await start(t, port, 'nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr']);
}

async function start(t: TestContext, port: number, name: string, args: readonly string[]): Promise<void> {
  const child = spawn(find(name) ?? name, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  guard(child);
  t.after(() => end(child));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (said += part));
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${said}`);
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  // For both: at once, workers too.
  child.kill('SIGTERM');
  await gone;
}
