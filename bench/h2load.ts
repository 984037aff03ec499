/** h2load: the streams it opens, and the figures it prints. */
import { hostOf } from './wrk.ts';

/** What h2load is to send. */
export interface Streams {
  /** Of a host whose answer is 200. */
  readonly host: string;
  readonly path: string;
  readonly tls: boolean;
  readonly connections: number;
  /** Of each connection, at a time. */
  readonly streams: number;
  /** A file that is posted as a gRPC message; null is a GET. */
  readonly grpcFile: string | null;
}

/** So much, or for so long. */
export type Amount = { readonly requests: number } | { readonly seconds: number };

/** What h2load counted. */
export interface StreamsCounted {
  readonly requests: number;
  readonly seconds: number;
  /** Received, as frames. */
  readonly bytes: number;
  /** Requests that failed: broken off, too late, or a status of 400 and more. */
  readonly errors: number;
}

export const TEN_BY_HUNDRED: Streams = {
  host: hostOf(0),
  path: '/20',
  tls: true,
  connections: 10,
  streams: 100,
  grpcFile: null,
};

const UNITS: Readonly<Record<string, number>> = { s: 1, ms: 1e-3, us: 1e-6 };

/** The command line. It asks for one host only: it can do no more. */
export function h2loadCommand(load: Streams, port: number, amount: Amount): readonly string[] {
  const { host, path, tls, connections, streams, grpcFile } = load;
  const url = `${tls ? 'https' : 'http'}://${host}${path}`;
  const counts = 'requests' in amount ? ['-n', String(amount.requests)] : ['-D', `${amount.seconds}s`];
  const grpc = grpcFile === null ? [] : ['-d', grpcFile, '-H', 'content-type: application/grpc', '-H', 'te: trailers'];
  const own = ['-t1', `-c${connections}`, `-m${streams}`, '--tls13-ciphers=TLS_AES_256_GCM_SHA384'];
  return ['h2load', ...own, ...counts, `--connect-to=127.0.0.1:${port}`, ...grpc, url];
}

/** Reads what it prints. @throws when it cannot be read, or nothing was answered */
export function parseH2load(output: string): StreamsCounted {
  const finished = /^finished in ([0-9.]+)(s|ms|us), /m.exec(output);
  const requests = /^requests: .* ([0-9]+) succeeded, ([0-9]+) failed, /m.exec(output);
  const traffic = /^traffic: \S+ \(([0-9]+)\) total/m.exec(output);
  if (finished === null || requests === null || traffic === null) {
    throw new Error(`h2load did not say what it counted: ${output.slice(-500)}`);
  }
  const succeeded = Number(requests[1]);
  if (succeeded === 0) throw new Error(`h2load got no good answer: ${output.slice(-500)}`);
  return {
    requests: succeeded,
    seconds: Number(finished[1]) * (UNITS[finished[2] ?? ''] ?? NaN),
    bytes: Number(traffic[1]),
    errors: Number(requests[2]),
  };
}
