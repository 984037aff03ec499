/** A command as an operator runs it: a process of its own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { guard } from './guard.ts';

export const PROGRAM = fileURLToPath(new URL('../../bin/hipache.js', import.meta.url));
/** Longer than a command takes on a busy machine, ms. */
const PATIENCE_MS = 20_000;

/** How a command ended. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function hipache(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [PROGRAM, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    timeout: PATIENCE_MS,
  });
  guard(child);
  const [stdout, stderr] = [gathered(child.stdout), gathered(child.stderr)];
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout: stdout(), stderr: stderr() };
}

/** What a stream brings, from now on. */
export function gathered(stream: ChildProcess['stdout']): () => string {
  let text = '';
  stream?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

/** Types a line at redis-cli's own prompt, which takes quotes as advice has them. */
export function redisCli(port: number, line: string): string {
  const { stdout, stderr } = spawnSync('redis-cli', ['-p', String(port)], { input: `${line}\n`, encoding: 'utf8' });
  return stdout + stderr;
}
