/** Serves files of this machine. */
import { RouterError } from '../../core/errors.ts';
import { type FilePath, filePath } from '../../core/http/file-path.ts';
import { pathOf } from '../../core/routing/prefixes.ts';
import { redirectToFolder } from '../../core/routing/redirect.ts';
import type { Backend, Outcome } from '../../core/routing/types.ts';
import { notConnected } from '../../core/health/verdict.ts';
import { visitOf } from '../admission.ts';
import type { Exchange } from '../exchange.ts';
import { sendBody } from './file-body.ts';
import { fileHead } from './file-head.ts';
import { findFile, type Found, type FoundFile } from './find-file.ts';
import { inTime } from '../in-time.ts';
import { close, codeOf } from './open-below.ts';
import { beginResponse } from '../own-response.ts';
import { sendRedirect } from '../redirect.ts';
import { refuse, type RefuseParts } from '../refuse.ts';
import type { SlowFlowParts } from '../slow-flow.ts';
import type { StaticRoots } from './static-roots.ts';

export interface FilesParts extends RefuseParts, SlowFlowParts {
  readonly roots: StaticRoots;
  /** Called for each problem that an operator should fix, as often as it occurs. */
  readonly onFault: (key: string, fault: string) => void;
}

const ALLOW = ['Allow', 'GET, HEAD'];

/** Serves a `file:` entry. Never rejects. */
export async function sendFile(exchange: Exchange, backend: Backend, parts: FilesParts): Promise<Outcome> {
  const { head, route, request, method } = exchange;
  if (head === null || route === null) return { type: 'unfit', cause: new Error('nothing was asked for') };
  const isRead = method === 'GET' || method === 'HEAD';
  const asked = isRead ? filePath(route.site.pathInFolder(head.path, route.prefix)) : null;
  const isFolder = pathOf(head.path).endsWith('/');
  const work = search(backend, asked, isFolder, request.headers['accept-encoding'], parts.roots);
  const { firstByteMs: limitMs } = exchange.limits ?? parts.limits;
  const found = await inTime(exchange, work, { clock: parts.clock, limitMs }, discard);
  switch (found.type) {
    case 'file':
      return await sendFound(exchange, found, parts);
    case 'folder': {
      sendRedirect(exchange, redirectToFolder(visitOf(exchange, head)), parts);
      return { type: 'answered', status: 301, retryAfter: false };
    }
    case 'missing': {
      const { cause } = found;
      if (cause !== undefined) parts.onFault(route.key, `${backend.href}: a file cannot be read: ${codeOf(cause)}`);
      if (isRead) return await refused(exchange, new RouterError('not-found', 'no such file', { cause }), parts);
      return await refused(exchange, new RouterError('method-refused', 'a file is read', { fields: ALLOW }), parts);
    }
    case 'unfit':
      parts.onFault(route.key, `${backend.href}: ${found.cause.message}`);
      return found;
    case 'crowded':
    case 'silent':
    case 'abandoned':
    case 'answered':
    case 'upgraded':
    case 'unreachable':
    case 'broken':
    case 'dropped':
    case 'garbled':
      return found;
  }
}

/** Never rejects. @param isFolder the client's original path ends with a slash */
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
    // Clients may see the message: it must not contain the folder's path.
    if (cause.code === undefined) return { type: 'unfit', cause };
    return { type: 'unfit', cause: new Error(`the folder cannot be read: ${cause.code}`, { cause }) };
  }
}

function discard(late: Found | Outcome): void {
  if (late.type === 'file') void close(late.file);
}

async function refused(exchange: Exchange, error: RouterError, parts: FilesParts): Promise<Outcome> {
  await refuse(exchange, error, parts);
  return { type: 'answered', status: error.status, retryAfter: false };
}

async function sendFound(exchange: Exchange, found: FoundFile, parts: FilesParts): Promise<Outcome> {
  const { request, response } = exchange;
  const { file } = found;
  if (response.destroyed || exchange.isEnded || exchange.interruption !== null) {
    void close(file);
    return { type: 'abandoned' };
  }
  const responseHead = fileHead(request, found);
  if (responseHead instanceof RouterError) {
    await close(file);
    return await refused(exchange, responseHead, parts);
  }
  const { status, fields, part } = responseHead;
  const onMove = beginResponse(exchange, status, fields, parts);
  if (part === null || part.length === 0) {
    response.end();
    void close(file);
  } else {
    void sendBody(exchange, file.handle, part, { onMove, bandwidths: parts.bandwidths });
  }
  return { type: 'answered', status, retryAfter: false };
}
