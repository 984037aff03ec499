/**
 * Tenant B's client: `neighbour.js PORT RATE WARM_SECONDS SECONDS`. Sends requests at a fixed rate, whether or not earlier ones
 * have their responses. A latency counts from the time at which the request was due, so that one that had to wait for
 * the client itself is not made to look fast. Prints one line about the requests after the warm-up.
 */
import { Worker } from 'node:worker_threads';
import { Connections } from '../neighbours/connections.ts';
import { NEIGHBOUR_HOST } from '../neighbours/tenants.ts';

/** A request without a response within this time is an error, ms. */
const LIMIT_MS = 5_000;
/** More than a system that serves B well ever needs. */
const MAX_CONNECTIONS = 1_000;
/** Every so many requests close their connection: the next ones open another. */
const CLOSES_EVERY = 10;

const [port = 0, rate = 1, warmSeconds = 0, seconds = 1] = process.argv.slice(2).map(Number);
const head = `GET /20 HTTP/1.1\r\nHost: ${NEIGHBOUR_HOST}\r\n`;
const kept = `${head}\r\n`;
const closing = `${head}Connection: close\r\n\r\n`;

const connections = new Connections({ port, max: MAX_CONNECTIONS, limitMs: LIMIT_MS, addresses: ['127.0.0.1'] });
const now = (): number => Number(process.hrtime.bigint()) / 1e6;
const start = now() + 100;
const intervalMs = 1000 / rate;
const warm = warmSeconds * rate;
const count = warm + seconds * rate;
const latencies: number[] = [];
let errors = 0;
let left = count;

function send(n: number): void {
  const due = start + n * intervalMs;
  const done = (status: number | null): void => {
    if (n >= warm) {
      latencies.push(now() - due);
      if (status !== 200) errors++;
    }
    if (--left === 0) finish();
  };
  if (!connections.ask(n % CLOSES_EVERY === 0 ? closing : kept, done)) done(null);
}

function finish(): void {
  latencies.sort((a, b) => a - b);
  const micros = (share: number): number =>
    Math.round((latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0) * 1000);
  const figures = `p50=${micros(0.5)} p99=${micros(0.99)} max=${micros(1)}`;
  process.stdout.write(`figures requests=${latencies.length} errors=${errors} ${figures}\n`);
  connections.close();
}

new Worker(new URL('pace.js', import.meta.url), { workerData: { start, intervalMs, count } }).on('message', send);
