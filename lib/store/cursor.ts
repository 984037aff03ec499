/** Places in a listing that is read a page at a time, as text for an address or a command line. */
import { EditorError } from './editor-error.ts';

/** Entries in one page at most. */
const MAX_PAGE = 1000;

/** How many elements a page may have, whatever was asked for. */
export function withinPage(limit: number): number {
  return Math.min(MAX_PAGE, Math.max(1, Math.floor(limit) || 1));
}

/** A cursor as text for an address or a command line. */
export function encodeCursor(place: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @throws EditorError `bad-cursor` for what `encodeCursor` has not made */
export function decodeCursor(cursor: string): readonly unknown[] {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(place)) return place;
  } catch {
    // Told below.
  }
  throw badCursor();
}

export function badCursor(): EditorError {
  return new EditorError('bad-cursor', 'is no cursor of this list; begin with the first page');
}
