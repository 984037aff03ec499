/**
 * What is answered with a file, but for the bytes: validators, conditions, ranges and types, as `send` has them. It is
 * the only file that knows the library, which is given nothing to do damage with:
 * - it would find and open a file by its path, twice, each time maybe another one: it is shown what was opened;
 * - it would hang listeners and fields on the request and the response, and send pages of its own: it writes to a Sheet;
 * - it would send the file, with one byte too many where an empty one has grown, and none to say so where one has
 *   become shorter: `stream`, its public step for that, here only tells which part was asked for;
 * - its entity-tags are weak, and a weak one must not make a range good (RFC 9110 §13.1.5): it is given strong ones,
 *   and If-Range is answered before.
 */
import type { Stats } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { Coding } from '../../core/http/accept-encoding.ts';
import { RouterError } from '../../core/errors.ts';
import type { FilePart } from './file-body.ts';
import type { FoundFile } from './find-file.ts';

type Send = typeof import('send');

let send: Send | null = null;

/**
 * Loads `send`, which takes 40 ms of CPU: only routers with `server.staticRoots` need it. To be called before a worker
 * drops its privileges: its new user may have no right to read the package.
 */
export function loadSend(): Send {
  send ??= createRequire(import.meta.url)('send') as Send;
  return send;
}

/** The head of an answer, and what follows. */
export interface FileHead {
  readonly status: number;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  /** The part of the file that is the body; null where there is none. */
  readonly part: FilePart | null;
}

/** What `send` takes for a response. */
class Sheet {
  statusCode = 200;
  readonly headersSent = false;
  readonly #fields = new Map<string, readonly [name: string, value: string]>();

  getHeader(name: string): string | undefined {
    return this.#fields.get(name.toLowerCase())?.[1];
  }

  setHeader(name: string, value: string | number): void {
    this.#fields.set(name.toLowerCase(), [name, String(value)]);
  }

  removeHeader(name: string): void {
    this.#fields.delete(name.toLowerCase());
  }

  end(): void {}

  fields(): readonly string[] {
    return [...this.#fields.values()].flat();
  }
}

/** The head to answer a GET or a HEAD with, or why the file is not what the client wants. */
export function fileHead(
  request: IncomingMessage,
  { file, name, coding, isVaried }: FoundFile,
): FileHead | RouterError {
  const { stat } = file;
  const sheet = new Sheet();
  const etag = etagOf(stat, coding);
  sheet.setHeader('ETag', etag);
  if (coding !== null) sheet.setHeader('Content-Encoding', coding);
  if (isVaried) sheet.setHeader('Vary', 'Accept-Encoding');
  const said: { failure: number | null; start: number | null } = { failure: null, start: null };
  const library = loadSend()(requestStandIn(request, etag, stat), name, { cacheControl: false });
  library.on('error', (error: { readonly status: number }) => (said.failure = error.status));
  library.stream = (_path, options: { readonly start?: number } = {}) => (said.start = options.start ?? 0);
  // What its `pipe` would do first; the rest of that is to find the file.
  Object.assign(library, { res: sheet });
  library.send(name, stat);
  const { failure, start } = said;
  if (failure !== null) return failed(failure, stat);
  const length = Number(sheet.getHeader('Content-Length'));
  return { status: sheet.statusCode, fields: sheet.fields(), part: start === null ? null : { start, length } };
}

function failed(status: number, { size }: Stats): RouterError {
  if (status === 412) return new RouterError('precondition-failed', 'the file is another by now');
  if (status !== 416) return new RouterError('internal', 'internal error', { cause: new Error(`send says ${status}`) });
  return new RouterError('range-unsatisfiable', `the file has ${size} bytes`, {
    fields: ['Content-Range', `bytes */${size}`],
  });
}

/** Strong, as far as the system tells times apart; of each form another one. */
function etagOf({ size, mtimeMs }: Stats, coding: Coding | null): string {
  const tag = `${size.toString(16)}-${Math.round(mtimeMs * 1000).toString(16)}`;
  return coding === null ? `"${tag}"` : `"${tag}-${coding}"`;
}

// RFC 9110 §14.1.1: what is none of these is ignored.
const RANGES = /^bytes=(?:[0-9]+-[0-9]*|-[0-9]+)(?:[ \t]*,[ \t]*(?:[0-9]+-[0-9]*|-[0-9]+))*$/;
const CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'cache-control'] as const;

/** The fields that `send` looks at. */
function requestStandIn({ method, headers }: IncomingMessage, etag: string, { mtime, size }: Stats): IncomingMessage {
  const shown: Record<string, string> = {};
  for (const name of CONDITIONS) {
    const value = headers[name];
    // RFC 9110 §13.1.1: a weak tag is equal to none; send would compare what is behind the W.
    if (value !== undefined) shown[name] = name === 'if-match' ? value.replaceAll('W/"', 'W-"') : value;
  }
  const { range } = headers;
  const condition = headers['if-range'];
  const isGood = condition === undefined || condition === etag || condition === mtime.toUTCString();
  // RFC 9110 §14.2: ranges are for GET alone.
  if (method === 'GET' && isGood && range !== undefined && RANGES.test(range)) {
    // RFC 9110 §14.1.2: the last bytes of a file that has fewer are all of it; range-parser calls them unsatisfiable.
    shown['range'] = range.replace(/(?<![0-9])-([0-9]+)/g, (_, last: string) => `-${Math.min(Number(last), size)}`);
  }
  return { method, headers: shown } as unknown as IncomingMessage;
}
