/**
 * The head of a response with a file: validators, conditions, ranges and types, by the package `send`. The only file
 * that uses the library, of which only parts are used:
 * - it would find and open a file by its path twice, possibly two different files: it gets the stat of the file that
 *   was opened;
 * - it would add listeners and fields to the request and response, and send its own error pages: it writes to a
 *   Sheet;
 * - it would send the file wrongly if its size changes meanwhile: `stream`, its public method for that, here only
 *   returns the requested part;
 * - its entity-tags are weak, and a weak one must not validate a range (RFC 9110 §13.1.5): it gets strong ones, and
 *   If-Range is evaluated before.
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

/** The head of a response, and the part of the file that follows. */
export interface FileHead {
  readonly status: number;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  /** The part of the file that is the body; null without a body. */
  readonly part: FilePart | null;
}

/** Stand-in for a response, for `send`. */
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

/** Returns the head of the response to a GET or HEAD, or the error. */
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
  // The first step of its `pipe`; the other steps find the file.
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

/** A strong entity-tag, as far as the resolution of file times goes. Each coding has its own. */
function etagOf({ size, mtimeMs }: Stats, coding: Coding | null): string {
  const tag = `${size.toString(16)}-${Math.round(mtimeMs * 1000).toString(16)}`;
  return coding === null ? `"${tag}"` : `"${tag}-${coding}"`;
}

// RFC 9110 §14.1.1: other values are ignored.
const RANGES = /^bytes=(?:[0-9]+-[0-9]*|-[0-9]+)(?:[ \t]*,[ \t]*(?:[0-9]+-[0-9]*|-[0-9]+))*$/;
const CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'cache-control'] as const;

/** Stand-in for a request, with the fields that `send` reads. */
function requestStandIn({ method, headers }: IncomingMessage, etag: string, { mtime, size }: Stats): IncomingMessage {
  const shown: Record<string, string> = {};
  for (const name of CONDITIONS) {
    const value = headers[name];
    // RFC 9110 §13.1.1: a weak tag matches no other; `send` would ignore the W.
    if (value !== undefined) shown[name] = name === 'if-match' ? value.replaceAll('W/"', 'W-"') : value;
  }
  const { range } = headers;
  const condition = headers['if-range'];
  const isGood = condition === undefined || condition === etag || condition === mtime.toUTCString();
  // RFC 9110 §14.2: ranges apply to GET only.
  if (method === 'GET' && isGood && range !== undefined && RANGES.test(range)) {
    // RFC 9110 §14.1.2: a suffix range longer than the file is the whole file; range-parser calls it unsatisfiable.
    shown['range'] = range.replace(/(?<![0-9])-([0-9]+)/g, (_, last: string) => `-${Math.min(Number(last), size)}`);
  }
  return { method, headers: shown } as unknown as IncomingMessage;
}
