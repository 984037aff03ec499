/** Checks over HTTP/2: requests, and gRPC's health service. */
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { CheckRules } from '../../core/health/check-rules.ts';
import { FIELD_BYTES, MOST_SECTION_BYTES } from '../../core/http/http2-fields.ts';
import { judgeAnswer, type OnShown } from './answer.ts';
import { BodySearch, MAX_BODY_BYTES } from './body-search.ts';
import { HEALTH_PATH, healthRequest, readHealth } from './grpc-health.ts';

/** Sends one request on a new connection. The caller has the time limit, and destroys the socket. */
export function askHttp2(socket: Socket, host: string, rules: CheckRules, onShown: OnShown): void {
  const session = opened(socket, onShown);
  if (session === null) return;
  const { method, path } = rules;
  const search = new BodySearch(rules.body);
  let status = 0;
  const stream = session.request(
    {
      ':method': method,
      ':path': path,
      ':authority': host,
      ':scheme': schemeOf(socket),
      'user-agent': 'hipache-check',
    },
    { endStream: true },
  );
  const finish = (): void => onShown(judgeAnswer({ status, hasBody: search.isFound }, rules));
  stream
    .on('error', ({ message }) => onShown({ hasPassed: false, detail: message }))
    .on('response', (fields) => {
      status = statusOf(fields);
      if (search.isDone) finish();
    })
    .on('data', (piece: Buffer) => {
      search.add(piece);
      if (search.isDone) finish();
    })
    .on('end', () => (status === 0 ? onShown({ hasPassed: false, detail: 'no response' }) : finish()));
}

/** The same for gRPC's health service. */
export function askGrpc(socket: Socket, host: string, { service }: CheckRules, onShown: OnShown): void {
  const session = opened(socket, onShown);
  if (session === null) return;
  const stream = session.request({
    ':method': 'POST',
    ':path': HEALTH_PATH,
    ':authority': host,
    ':scheme': schemeOf(socket),
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'hipache-check',
  });
  const pieces: Buffer[] = [];
  let bytes = 0;
  let status = 0;
  let grpcStatus: string | undefined;
  const note = (fields: IncomingHttpHeaders): void => {
    grpcStatus = fields['grpc-status']?.toString() ?? grpcStatus;
  };
  stream
    .on('error', ({ message }) => onShown({ hasPassed: false, detail: message }))
    .on('response', (fields) => {
      status = statusOf(fields);
      note(fields);
    })
    .on('trailers', note)
    .on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes <= MAX_BODY_BYTES) pieces.push(piece);
      else onShown({ hasPassed: false, detail: 'a message that is too large' });
    })
    .on('end', () => {
      // Trailers are reported before the end.
      if (status !== 200)
        return onShown({ hasPassed: false, detail: status === 0 ? 'no response' : `status ${status}` });
      if (grpcStatus !== '0') return onShown({ hasPassed: false, detail: `grpc-status ${grpcStatus ?? 'is missing'}` });
      const { isServing, name } = readHealth(Buffer.concat(pieces));
      onShown({ hasPassed: isServing, detail: name });
    });
  stream.end(healthRequest(service));
}

function opened(socket: Socket, onShown: OnShown): ClientHttp2Session | null {
  if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2') {
    onShown({ hasPassed: false, detail: 'the backend does not take HTTP/2 (ALPN)' });
    return null;
  }
  const session = connect('http://backend', {
    createConnection: () => socket,
    settings: { enablePush: false, maxHeaderListSize: MOST_SECTION_BYTES },
    maxHeaderListPairs: MOST_SECTION_BYTES / FIELD_BYTES,
  });
  session
    .on('error', ({ message }) => onShown({ hasPassed: false, detail: message }))
    .once('close', () => onShown({ hasPassed: false, detail: 'it closed the connection' }));
  return session;
}

function schemeOf(socket: Socket): 'http' | 'https' {
  return socket instanceof TLSSocket ? 'https' : 'http';
}

function statusOf(fields: IncomingHttpHeaders): number {
  return Number(fields[constants.HTTP2_HEADER_STATUS] ?? 0);
}
