import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { readOwn } from '../../files/read.ts';
import { UnsafePathError } from '../../files/unsafe-path.ts';
import { encodeRoutes } from './routes-image.ts';
import { parseRoutes, type RouteWarning } from './routes-json.ts';

/** A routes file may be as large. */
export const MAX_BYTES = 64 * 1024 * 1024;
/** Faults in one message at most. */
const MAX_FAULTS = 20;
/** Warnings passed on one by one. */
const MAX_WARNINGS = 100;

/** What one look at a routes file came to. Plain data: it travels between threads. */
export type Reading = GoodReading | BadReading;

/** A file whose routes can be used. */
export interface GoodReading {
  readonly type: 'good';
  /** Of the file's bytes: another file with the same one says the same. */
  readonly digest: string;
  readonly frontends: number;
  /** See routes-image.ts. */
  readonly image: Uint8Array<ArrayBuffer>;
  /** Each costs a route or a backend. The first hundred. */
  readonly warnings: readonly RouteWarning[];
  /** How many more there were. */
  readonly moreWarnings: number;
}

/** A file that cannot be used: `fault` says why. */
export interface BadReading {
  readonly type: 'bad';
  /** Null when it could not be read at all. */
  readonly digest: string | null;
  readonly fault: string;
}

/**
 * Reads and checks the file: up to seconds of work without a pause, so not for an event loop that serves (see
 * reading-thread.ts). Never rejects.
 * @param known the digest of what is known to be good, if anything
 * @returns null when the file is what is known
 */
export async function readRoutes(path: string, known: string | null): Promise<Reading | null> {
  try {
    const status = await stat(path);
    if (!status.isFile()) return unreadable('is not a file');
    if (status.size > MAX_BYTES) return unreadable(`is larger than ${MAX_BYTES / 1024 / 1024} MB`);
    const bytes = readOwn(path, MAX_BYTES);
    const digest = createHash('sha256').update(bytes).digest('base64');
    return digest === known ? null : look(bytes.toString('utf8'), digest);
  } catch (error) {
    return unreadable(whyUnreadable(error));
  }
}

function look(text: string, digest: string): Reading {
  const { entries, hashes, faults, warnings } = parseRoutes(text);
  if (faults.length > 0) return { type: 'bad', digest, fault: inWords(faults) };
  return {
    type: 'good',
    digest,
    frontends: entries.length,
    image: encodeRoutes([...entries, ...hashes]),
    warnings: warnings.slice(0, MAX_WARNINGS),
    moreWarnings: Math.max(0, warnings.length - MAX_WARNINGS),
  };
}

/** A file that could not be read at all. */
export function unreadable(fault: string): BadReading {
  return { type: 'bad', digest: null, fault };
}

/** What keeps a file from being read, as the end of a sentence about it. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof UnsafePathError) return error.message;
  const code = codeOf(error);
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EACCES') return 'may not be read by this user';
  return `cannot be read: ${String(error)}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

/** Faults as one message; of very many, the first. */
export function inWords(faults: readonly string[]): string {
  const more = faults.length - MAX_FAULTS;
  return faults.slice(0, MAX_FAULTS).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** Changes whenever the file does, as far as the file system tells; links are followed. Never rejects. */
export async function signatureOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return codeOf(error);
  }
}
