/**
 * A thread that sends a message at each time of a schedule. A timer of the event loop is late by up to a millisecond, as
 * much as a request takes.
 */
import { parentPort, workerData } from 'node:worker_threads';

const { start, intervalMs, count } = workerData as { start: number; intervalMs: number; count: number };
const never = new Int32Array(new SharedArrayBuffer(4));

for (let n = 0; n < count; n++) {
  const wait = start + n * intervalMs - Number(process.hrtime.bigint()) / 1e6;
  if (wait > 0) Atomics.wait(never, 0, 0, wait);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread has no origin
  parentPort?.postMessage(n);
}
