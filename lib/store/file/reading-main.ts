/** The thread that reads a routes file once, posts the result, and exits. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ReadingOrder } from './reading-thread.ts';
import { readRoutes } from './routes-reading.ts';

const { path, known, otherOptions } = workerData as ReadingOrder;
const reading = await readRoutes(path, known, otherOptions);
// The image is transferred, not copied.
parentPort?.postMessage(reading, reading?.type === 'good' ? [reading.image.buffer] : []);
