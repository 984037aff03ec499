/** A syslog to listen on: a Unix socket that takes a stream, or datagrams. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { guard } from './guard.ts';

/** `<134>`: local0.info. The time is local. */
const HEAD = /^<134>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d hipache: /;

export class Syslog {
  /** What came, without the head that syslog's protocol has. */
  readonly lines: string[] = [];
  /** What came without that head. */
  readonly strange: string[] = [];
  readonly #stop: () => Promise<void>;

  constructor(stop: () => Promise<void>) {
    this.#stop = stop;
  }

  hear(message: string): void {
    if (HEAD.test(message)) this.lines.push(message.replace(HEAD, ''));
    else this.strange.push(message);
  }

  /** Ends it, as a restart of syslog does; the path is free again. */
  stop(): Promise<void> {
    return this.#stop();
  }
}

/** One that takes a stream: each message is a line. `isReading: false` accepts, and takes nothing. */
export async function startStreamSyslog(t: TestContext, path: string, isReading = true): Promise<Syslog> {
  const sockets = new Set<Socket>();
  const server = createServer({ pauseOnConnect: !isReading }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    if (isReading) createInterface({ input: socket.setEncoding('latin1') }).on('line', (line) => syslog.hear(line));
  });
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  const syslog = new Syslog(stop);
  server.listen(path);
  await once(server, 'listening');
  t.after(stop);
  return syslog;
}

const DATAGRAMS = `
import socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
sys.stdout.buffer.write(b'ready\\n')
while True:
    sys.stdout.buffer.flush()
    sys.stdout.buffer.write(server.recv(1000000) + b'\\n')
`;

/** One that takes datagrams, as most do. Needs Python: see `noPython`. */
export async function startDatagramSyslog(t: TestContext, path: string): Promise<Syslog> {
  const child = spawn('python3', ['-c', DATAGRAMS, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  guard(child);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(path, { force: true });
  };
  t.after(stop);
  const syslog = new Syslog(stop);
  const lines = createInterface({ input: child.stdout.setEncoding('latin1') });
  await once(lines, 'line');
  lines.on('line', (line) => syslog.hear(line));
  return syslog;
}
