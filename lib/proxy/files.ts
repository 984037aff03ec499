/**
 * Answers with files of this machine. `send` says what an answer's head is: validators, conditions, ranges, types. It is
 * the only file that knows the library, which is given nothing to do damage with:
 * - it would find and open a file by its path, twice, each time maybe another one: it is shown what was opened;
 * - it would hang listeners and fields on the request and the response, and send pages of its own: it writes to a Sheet;
 * - it would send the file, with one byte too many where an empty one has grown, and none to say so where one has
 *   become shorter: `stream`, its public step for that, here only tells which part was asked for;
 * - its entity-tags are weak, and a weak one must not make a range good (RFC 9110 §13.1.5): it is given strong ones,
 *   and If-Range is answered before.
 */
import type { IncomingMessage } from 'node:http';
import type { Stats } from 'node:fs';
import send from 'send';
import type { Coding } from '../core/accept-encoding.ts';
import { RouterError } from '../core/errors.ts';
import { type FilePath, filePath, pathInFolder } from '../core/file-path.ts';
import { pathOf } from '../core/prefixes.ts';
import type { Backend, Outcome } from '../core/types.ts';
import { notConnected } from '../core/verdict.ts';
import { visitOf } from './admission.ts';
import type { Exchange } from './exchange.ts';
import { sendBody } from './file-body.ts';
import { findFile, type Found, type FoundFile } from './find-file.ts';
import { inTime } from './in-time.ts';
import type { Limits } from './limits.ts';
import { close, codeOf } from './open-below.ts';
import { beginAnswer } from './own-answer.ts';
import { answerRedirect } from './redirect.ts';
import { refuse, type RefuseParts } from './refuse.ts';
import type { StaticRoots } from './static-roots.ts';

export interface FilesParts extends RefuseParts {
  readonly roots: StaticRoots;
  readonly limits: Pick<Limits, 'firstByteMs' | 'responseMs'>;
  /** Told what an operator should mend, as often as it is met. */
  readonly onFault: (key: string, fault: string) => void;
}

const ALLOW = ['Allow', 'GET, HEAD'];

/** Answers for an entry `file:`. Never rejects. */
export async function answerFile(exchange: Exchange, backend: Backend, parts: FilesParts): Promise<Outcome> {
  const { head, route, request } = exchange;
  if (head === null || route === null) return { type: 'unusable', cause: new Error('nothing was asked for') };
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const asked = isRead ? filePath(pathInFolder(route.options.rewrite, route.prefix, head.path)) : null;
  const isFolder = pathOf(head.path).endsWith('/');
  const work = search(backend, asked, isFolder, request.headers['accept-encoding'], parts.roots);
  const found = await inTime(exchange, work, { clock: parts.clock, limitMs: parts.limits.firstByteMs }, discard);
  switch (found.type) {
    case 'file':
      return await answerWith(exchange, found, parts);
    case 'folder': {
      const { scheme, authority, path } = visitOf(exchange, head);
      const { length } = pathOf(path);
      const location = `${scheme}://${authority}${path.slice(0, length)}/${path.slice(length)}`;
      answerRedirect(exchange, { status: 301, location }, parts);
      return { type: 'answered', status: 301, retryAfter: false };
    }
    case 'missing': {
      const { cause } = found;
      if (cause !== undefined) parts.onFault(route.key, `${backend.href}: a file cannot be read: ${codeOf(cause)}`);
      if (isRead) return await refused(exchange, new RouterError('not-found', 'no such file', { cause }), parts);
      return await refused(exchange, new RouterError('method-refused', 'a file is read', { fields: ALLOW }), parts);
    }
    case 'unusable':
      parts.onFault(route.key, `${backend.href}: ${found.cause.message}`);
      return found;
    case 'crowded':
    case 'silent':
    case 'abandoned':
    case 'answered':
    case 'upgraded':
    case 'unreachable':
    case 'broken':
    case 'garbled':
      return found;
  }
}

/** Never rejects. @param isFolder the client's path ends with a slash, whatever became of it */
async function search(
  backend: Backend,
  asked: FilePath | null,
  isFolder: boolean,
  accepted: string | undefined,
  roots: StaticRoots,
): Promise<Found | Outcome> {
  try {
    const folder = await roots.realPathOf(backend.path);
    if (asked === null) return { type: 'missing' };
    const found = await findFile(folder, asked, accepted);
    if (found.type !== 'folder' || !isFolder) return found;
    return await findFile(folder, { ...asked, isFolder }, accepted);
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    const outcome = notConnected(cause);
    if (outcome.type === 'crowded') return outcome;
    // Clients may see the message, and where the folder is is not for them.
    const why = cause.code === undefined ? cause.message : `the folder cannot be read: ${cause.code}`;
    return { type: 'unusable', cause: new Error(why, { cause }) };
  }
}

function discard(late: Found | Outcome): void {
  if (late.type === 'file') void close(late.file);
}

async function refused(exchange: Exchange, error: RouterError, parts: FilesParts): Promise<Outcome> {
  await refuse(exchange, error, parts);
  return { type: 'answered', status: error.status, retryAfter: false };
}

async function answerWith(exchange: Exchange, found: FoundFile, parts: FilesParts): Promise<Outcome> {
  const { request, response } = exchange;
  const { file } = found;
  if (response.destroyed || exchange.isEnded || exchange.interruption !== null) {
    void close(file);
    return { type: 'abandoned' };
  }
  const verdict = judge(request, found);
  if (verdict instanceof RouterError) {
    await close(file);
    return await refused(exchange, verdict, parts);
  }
  const { status, part } = verdict;
  beginAnswer(exchange, status, verdict.fields, parts);
  if (part === null || part.length === 0) {
    response.end();
    void close(file);
  } else {
    sendBody(exchange, file.handle, part, { clock: parts.clock, limitMs: parts.limits.responseMs });
  }
  return { type: 'answered', status, retryAfter: false };
}

interface Verdict {
  readonly status: number;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  /** The part of the file that is the body; null where there is none. */
  readonly part: { readonly start: number; readonly length: number } | null;
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

function judge(request: IncomingMessage, { file, name, coding, isVaried }: FoundFile): Verdict | RouterError {
  const { stat } = file;
  const sheet = new Sheet();
  const etag = etagOf(stat, coding);
  sheet.setHeader('ETag', etag);
  if (coding !== null) sheet.setHeader('Content-Encoding', coding);
  if (isVaried) sheet.setHeader('Vary', 'Accept-Encoding');
  const said: { failure: number | null; start: number | null } = { failure: null, start: null };
  const library = send(requestStandIn(request, etag, stat), name, { cacheControl: false });
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
    if (value !== undefined) shown[name] = value;
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
