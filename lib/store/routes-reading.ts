import { readFile, stat } from 'node:fs/promises';
import { parseRoutes, type RoutesText } from './routes-json.ts';

const MAX_BYTES = 64 * 1024 * 1024;
/** Faults in one message at most. */
const MAX_FAULTS = 20;

/** What one look at a routes file came to. */
export interface Reading extends RoutesText {
  /** Null when the file could not be read at all; then `faults` says why. */
  readonly text: string | null;
}

/** Reads and checks the file. Text that equals that of `known` is not checked again. Never rejects. */
export async function readRoutes(path: string, known?: Reading): Promise<Reading> {
  try {
    const status = await stat(path);
    if (!status.isFile()) return unreadable('is not a file');
    if (status.size > MAX_BYTES) return unreadable(`is larger than ${MAX_BYTES / 1024 / 1024} MB`);
    const text = await readFile(path, 'utf8');
    return known?.text === text ? known : { text, ...parseRoutes(text) };
  } catch (error) {
    return unreadable(whyUnreadable(error));
  }
}

function unreadable(fault: string): Reading {
  return { text: null, entries: [], faults: [fault], warnings: [] };
}

function whyUnreadable(error: unknown): string {
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
