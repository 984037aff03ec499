/** Free ports, and whether a server answers on one. */
import { once } from 'node:events';
import { request as askPlain } from 'node:http';
import { connect } from 'node:http2';
import { request as askTls } from 'node:https';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** How long a server may take to answer its first request, ms. */
const PATIENCE_MS = 15_000;
/** For one attempt, ms. */
const ATTEMPT_MS = 1_000;
const PAUSE_MS = 50;
const ATTEMPTS = 100;

/** A port nobody listens on, below the kernel's range for outgoing connections. @throws when there seems to be none */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
  throw new Error('no free port');
}

/** What is asked until it is answered. */
export interface Question {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly tls: boolean;
  readonly http2: boolean;
}

/** Resolves when the answer is 200. @throws when `hasEnded` says so, or patience is at its end */
export async function untilAnswered(question: Question, hasEnded: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const status = await (question.http2 ? askHttp2(question) : ask(question));
    if (status === 200) return;
    if (hasEnded()) throw new Error('it ended before it answered');
    if (performance.now() > deadline) throw new Error(`no good answer within ${PATIENCE_MS} ms, but ${status}`);
    await delay(PAUSE_MS);
  }
}

/** The status, or why there is none. */
async function ask({ port, host, path, tls }: Question): Promise<number | string> {
  const options = { host: '127.0.0.1', port, path, headers: { host }, agent: false, timeout: ATTEMPT_MS };
  const request = tls ? askTls({ ...options, rejectUnauthorized: false }) : askPlain(options);
  request.once('timeout', () => request.destroy(new Error('silence')));
  request.end();
  try {
    const [answer] = (await once(request, 'response')) as [{ statusCode: number }];
    return answer.statusCode;
  } catch (error) {
    return String(error);
  } finally {
    request.destroy();
    request.on('error', () => {});
  }
}

/** The same by HTTP/2, which servers may speak alone. */
async function askHttp2({ port, host, path, tls }: Question): Promise<number | string> {
  const signal = AbortSignal.timeout(ATTEMPT_MS);
  const session = connect(`${tls ? 'https' : 'http'}://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on('error', () => {});
  try {
    const stream = session.request({ ':path': path, ':authority': host });
    const [fields] = (await once(stream, 'response', { signal })) as [{ ':status': number }];
    return fields[':status'];
  } catch (error) {
    return String(error);
  } finally {
    session.destroy();
  }
}
