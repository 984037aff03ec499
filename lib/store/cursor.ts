/** Cursors of listings that are read page by page, as text for a URL or a command line. */
import { EditorError } from './editor-error.ts';

/** The maximum number of entries per page. */
const MAX_PAGE = 1000;

/** Limits the requested size of a page. */
export function withinPage(limit: number): number {
  return Math.min(MAX_PAGE, Math.max(1, Math.floor(limit) || 1));
}

/** Encodes a cursor. */
export function encodeCursor(place: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** Decodes a cursor. @throws EditorError `bad-cursor` for a text that `encodeCursor` has not made */
export function decodeCursor(cursor: string): readonly unknown[] {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(place)) return place;
  } catch {
    // Handled below.
  }
  throw badCursor();
}

/** The error for a cursor that was not made by `encodeCursor`, or for another list. */
export function badCursor(): EditorError {
  return new EditorError('bad-cursor', 'is not a cursor of this list; start with the first page');
}
