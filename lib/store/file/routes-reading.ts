import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { readOwn } from '../../files/read.ts';
import { UnsafePathError } from '../../files/unsafe-path.ts';
import { siteFeature, type SiteFeature } from '../../sites/feature.ts';
import { FEATURES } from '../../sites/features.ts';
import { encodeRoutes } from './routes-image.ts';
import { parseRoutes, type RouteWarning } from './routes-json.ts';

/** The maximum size of a routes file. */
export const MAX_BYTES = 64 * 1024 * 1024;
/** A file up to this size is read and checked within a few ms: faster than a thread starts. */
const SMALL_BYTES = 65_536;
/** How many faults a message lists. */
const MAX_FAULTS = 20;
/** How many warnings are passed on. */
const MAX_WARNINGS = 100;

/** The result of reading a routes file. Plain data: it is sent between threads. */
export type Reading = GoodReading | BadReading;

/** A usable file. */
export interface GoodReading {
  readonly type: 'good';
  /** The digest of the file's bytes. */
  readonly digest: string;
  readonly frontends: number;
  /** See routes-image.ts. */
  readonly image: Uint8Array<ArrayBuffer>;
  /** Each costs a route or a backend. The first MAX_WARNINGS. */
  readonly warnings: readonly RouteWarning[];
  /** How many more warnings there are. */
  readonly moreWarnings: number;
}

/** A file that cannot be used: `fault` has the reason. */
export interface BadReading {
  readonly type: 'bad';
  /** Null when the file could not be read. */
  readonly digest: string | null;
  readonly fault: string;
}

/**
 * Reads and checks the file. Takes up to seconds without yielding, so it must not run on an event loop that serves (see
 * reading-thread.ts). Never rejects.
 * @param known the digest of the last good file, if any
 * @param otherOptions options of features that are not in FEATURES: functions cannot be sent to a thread
 * @returns null when the file is unchanged
 */
export async function readRoutes(
  path: string,
  known: string | null,
  otherOptions: readonly string[],
): Promise<Reading | null> {
  try {
    const status = await stat(path);
    if (!status.isFile()) return unreadable('is not a file');
    if (status.size > MAX_BYTES) return unreadable(`is larger than ${MAX_BYTES / 1024 / 1024} MB`);
    const bytes = readOwn(path, MAX_BYTES);
    const digest = createHash('sha256').update(bytes).digest('base64');
    return digest === known ? null : look(bytes.toString('utf8'), digest, otherOptions);
  } catch (error) {
    return unreadable(whyUnreadable(error));
  }
}

/** The same for a small file, at once; null when it is larger, for `readAside`. A starting process can wait for that. */
export async function readSmall(path: string, otherOptions: readonly string[]): Promise<Reading | null> {
  const status = await stat(path).catch(() => null);
  return status !== null && status.size <= SMALL_BYTES ? readRoutes(path, null, otherOptions) : null;
}

function look(text: string, digest: string, otherOptions: readonly string[]): Reading {
  const { entries, hashes, faults, warnings } = parseRoutes(text, [...FEATURES, withAnyText(otherOptions)]);
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

/** A feature that accepts every text of its options. */
function withAnyText(options: readonly string[]): SiteFeature {
  const fields = Object.fromEntries(options.map((option) => [option, () => ({})]));
  return siteFeature({ fields, defaults: {}, behaviour: () => ({}) });
}

/** The result for a file that could not be read. */
export function unreadable(fault: string): BadReading {
  return { type: 'bad', digest: null, fault };
}

/** Why a file cannot be read, as the end of a sentence about it. */
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

/** Joins faults to one message; lists only the first ones of many. */
export function inWords(faults: readonly string[]): string {
  const more = faults.length - MAX_FAULTS;
  return faults.slice(0, MAX_FAULTS).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** A text that changes whenever the file does, as far as the file system tells; links are followed. Never rejects. */
export async function signatureOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return codeOf(error);
  }
}
