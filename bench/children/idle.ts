/**
 * Opens connections, gets one answer on each, and keeps them: `idle.js PORT HOSTS COUNT`. Prints `idle` when all are
 * open, and closes them when it is ended.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { hostOf } from '../wrk.ts';

/** How many are opened at a time. */
const AT_ONCE = 32;
const ANSWER_LIMIT_MS = 10_000;

const [port, hosts, count] = process.argv.slice(2).map(Number);
const open: Socket[] = [];
let next = 0;

async function openOne(n: number): Promise<void> {
  const socket = connect(port ?? 0, '127.0.0.1');
  open.push(socket);
  const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
  await once(socket, 'connect', { signal });
  socket.write(`GET /20 HTTP/1.1\r\nHost: ${hostOf(n % (hosts ?? 1))}\r\n\r\n`);
  let said = '';
  // The answer of the backend is twenty letters.
  while (!/x{20}/.test(said)) said += String(((await once(socket, 'data', { signal })) as [Buffer])[0]);
  if (!said.startsWith('HTTP/1.1 200')) throw new Error(said);
  // A connection that is closed makes the memory of the others look smaller than it is.
  socket.once('close', () => process.exit(1));
}

async function openMany(): Promise<void> {
  while (next < (count ?? 0)) await openOne(next++);
}

await Promise.all(Array.from({ length: AT_ONCE }, openMany));
process.stdout.write('idle\n');
