import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Sees to it that a process ends with this one, even when a runner kills us without a word: then the pipe closes, and
 * the shell that reads from it kills the process. It knows the one process it was given.
 */
export function guard(child: ChildProcess): void {
  const script = 'read _; kill -9 "$1"';
  const watcher = spawn('sh', ['-c', script, 'guard', String(child.pid)], { stdio: ['pipe', 'ignore', 'ignore'] });
  watcher.once('error', () => {});
  child.once('exit', () => watcher.kill('SIGKILL'));
}
