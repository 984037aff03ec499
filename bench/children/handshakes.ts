/**
 * Makes TLS connections, each for one request: `handshakes.js PORT CLIENTS SECONDS new|resumed`. Prints one line with
 * how many there were. Each client has a host and makes one connection at a time; with `resumed` it comes back with the
 * session of the last.
 */
import { once } from 'node:events';
import { connect, createSecureContext, type ConnectionOptions } from 'node:tls';
import { hostOf } from '../wrk.ts';

const ANSWER_LIMIT_MS = 10_000;

const [port = 0, clients = 1, seconds = 1] = process.argv.slice(2, 5).map(Number);
const keepsSessions = process.argv[5] === 'resumed';
// The same for every server, whatever it would rather have.
const secureContext = createSecureContext({
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_256_GCM_SHA384',
  ecdhCurve: 'X25519',
});

let made = 0;
let resumed = 0;

/** Connects once. @returns the session to come back with */
async function ask(host: string, session: Buffer | null): Promise<Buffer | null> {
  const options: ConnectionOptions = { port, host: '127.0.0.1', servername: host, secureContext };
  const socket = connect({
    ...options,
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: false,
    ...(session && { session }),
  });
  let next: Buffer | null = null;
  let said = '';
  socket.on('session', (ticket: Buffer) => {
    next = ticket;
  });
  socket.on('data', (bytes: Buffer) => {
    said += bytes.toString('latin1');
  });
  socket.on('secureConnect', () => {
    made++;
    if (socket.isSessionReused()) resumed++;
  });
  socket.write(`GET /20 HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  await once(socket, 'close', { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
  if (!/^HTTP\/1\.1 200 .*x{20}/s.test(said)) throw new Error(`no good answer: ${said}`);
  return next;
}

async function askAgain(host: string, until: number): Promise<void> {
  let session: Buffer | null = null;
  while (performance.now() < until) {
    const next = await ask(host, session);
    // A server that renews no tickets has given two, of which any may be used again.
    if (keepsSessions) session = next ?? session;
  }
}

const start = performance.now();
await Promise.all(Array.from({ length: clients }, (_, n) => askAgain(hostOf(n), start + seconds * 1000)));
const micros = Math.round((performance.now() - start) * 1000);
process.stdout.write(`figures made=${made} resumed=${resumed} micros=${micros}\n`);
