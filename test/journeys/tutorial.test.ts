/** docs/tutorial.md, step by step, as a reader types it: with ports of the test, and with the links that a clone has. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { eventually } from '../support/eventually.ts';
import { guard } from '../support/guard.ts';
import { commandsOf, fencesOf } from '../support/markdown.ts';
import { freePort } from '../support/ports.ts';
import { temporaryFolder } from '../support/router.ts';

const document = readFileSync(join(packageRoot, 'docs/tutorial.md'), 'utf8');
const steps = document.split(/^## /m).slice(1);

/** Ports of the document. */
const PORTS = ['8080', '8081', '7379', '9001', '9002'] as const;
/** Commands that run until they are interrupted, each with its port; the router's is in its configuration. */
const SERVERS = [
  /^redis-server --port (\d+)/,
  /^node dist\/bin\/hipache\.js --config /,
  /^node tutorial\/app\.mjs (\d+)/,
];

class Reader {
  readonly #folder: string;
  readonly #ports: ReadonlyMap<string, string>;
  readonly #servers = new Map<string, ChildProcess>();

  constructor(t: TestContext, folder: string, ports: ReadonlyMap<string, string>) {
    this.#folder = folder;
    this.#ports = ports;
    t.after(async () => {
      await Promise.all([...this.#servers.keys()].map((command) => this.interrupt(command)));
    });
  }

  /** The text with this test's ports. */
  own(text: string): string {
    return text.replaceAll(/\b\d{4}\b/g, (port) => this.#ports.get(port) ?? port);
  }

  save(name: string, text: string): void {
    writeFileSync(join(this.#folder, name), this.own(text));
  }

  /** Runs a command; what it prints must be what the document shows, where that shows something. */
  async type(command: string, output: string): Promise<void> {
    const server = SERVERS.map((pattern) => pattern.exec(command)).find((found) => found !== null);
    if (server) return this.#serve(command, server[1] ?? PORTS[0]);
    // Without a terminal redis-cli prints less.
    const line = this.own(command).replace(/^redis-cli /, 'redis-cli --no-raw ');
    const { status, stdout, stderr } = spawnSync('bash', ['-c', line], { cwd: this.#folder, encoding: 'utf8' });
    assert.equal(status, 0, `${line}: ${stderr}`);
    if (output !== '') assert.equal(stdout, this.own(output), line);
  }

  async interrupt(command: string): Promise<void> {
    const child = this.#servers.get(command);
    this.#servers.delete(command);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    await ended;
  }

  async #serve(command: string, port: string): Promise<void> {
    // A shell replaces itself by the one command that it is given: a signal to the child reaches the server.
    const child = spawn('bash', ['-c', `exec ${this.own(command)}`], { cwd: this.#folder, stdio: 'ignore' });
    guard(child);
    this.#servers.set(command, child);
    await eventually(() => this.#connect(Number(this.own(port))), 20_000);
  }

  async #connect(port: number): Promise<void> {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
    } finally {
      socket.destroy();
    }
  }
}

test('the tutorial does what it says', async (t) => {
  const folder = temporaryFolder(t);
  for (const name of ['dist', 'node_modules']) symlinkSync(join(packageRoot, name), join(folder, name));
  const free = new Set<number>();
  while (free.size < PORTS.length) free.add(await freePort());
  // The document shows output that is sorted: its lower port stays the lower one.
  const sorted = [...free].toSorted((a, b) => a - b);
  const ports = new Map<string, string>(PORTS.toSorted().map((port, i) => [port, String(sorted[i])]));
  const reader = new Reader(t, folder, ports);
  for (const step of steps) {
    const [, name] = /^Save this as `(tutorial\/[\w.]+)`/m.exec(step) ?? [];
    const file = fencesOf(step).find(({ language }) => language === 'json' || language === 'js');
    assert.equal(name === undefined, file === undefined, step);
    if (name !== undefined && file !== undefined) reader.save(name, `${file.lines.join('\n')}\n`);
    const [, stopped] = /^Press Ctrl-C in the terminal of `(app\.mjs \d+)`/m.exec(step) ?? [];
    if (stopped !== undefined) await reader.interrupt(`node tutorial/${stopped}`);
    for (const { command, output } of commandsOf(step)) {
      // The test runs in a clone that is built.
      if (command === 'npm ci') continue;
      await reader.type(command, output);
    }
  }
});
