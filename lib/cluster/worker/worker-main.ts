/** A worker process: says hello, is told its configuration, serves until it is told to drain. */
import type { Configure, ToMaster, ToWorker } from '../messages.ts';
import { Worker } from './worker.ts';

let worker: Worker | null = null;

function say(message: ToMaster): void {
  // Without a channel the master is gone, and so will this process be.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

async function start(message: Configure): Promise<void> {
  try {
    worker = new Worker(message, say);
    say({ type: 'ready', listening: await worker.start() });
  } catch (error) {
    say({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    await end(true);
  }
}

async function end(isEnd: boolean): Promise<void> {
  await worker?.drain(isEnd);
  // Lets what was said last reach the master.
  process.disconnect?.();
  process.exit(0);
}

process.on('message', (message: ToWorker, socket?: object) => {
  if (message.type === 'configure') void start(message);
  else if (message.type === 'drain') void end(message.isEnd);
  else worker?.hear(message, socket);
});
// A terminal's interrupt reaches every process; the master says what to do about it.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.on('SIGUSR1', () => {});
process.on('SIGUSR2', () => {});
// The master's own end is told by a message, in good order; this one was meant for a single worker.
process.on('SIGTERM', () => say({ type: 'leaving' }));
// Also when the master is killed: node:cluster ends its workers then, without a word to us.
process.on('exit', () => worker?.flush());
// A mistake of ours must not be hidden; the other workers go on, and the master starts a new one.
process.on('uncaughtException', (error) => {
  worker?.die(error);
  process.exit(70);
});

say({ type: 'hello' });
