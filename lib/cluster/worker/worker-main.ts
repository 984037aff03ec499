/** A worker process: says hello, gets its configuration, and serves until it gets `drain`. */
import type { Configure, ToMaster, ToWorker } from '../messages.ts';
import { Worker } from './worker.ts';

let worker: Worker | null = null;

function say(message: ToMaster): void {
  // Without a channel the master has exited, and this process is about to.
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
  // Ensures that the last messages reach the master.
  process.disconnect?.();
  process.exit(0);
}

process.on('message', (message: ToWorker, socket?: object) => {
  if (message.type === 'configure') void start(message);
  else if (message.type === 'drain') void end(message.isEnd);
  else worker?.hear(message, socket);
});
// A terminal sends SIGINT to every process of the group; the master acts on it.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.on('SIGUSR1', () => {});
process.on('SIGUSR2', () => {});
// The master stops workers by message. A SIGTERM was sent to this worker alone.
process.on('SIGTERM', () => say({ type: 'leaving' }));
// Runs also when the master is killed: node:cluster ends its workers then without any other event.
process.on('exit', () => worker?.flush());
// A bug must not be hidden: this worker exits, the others go on, and the master starts a new one.
process.on('uncaughtException', (error) => {
  worker?.die(error);
  process.exit(70);
});

say({ type: 'hello' });
