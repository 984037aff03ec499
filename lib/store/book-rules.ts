/** What every book holds to when it edits. Pure. */
import type { OptionFields } from '../core/options.ts';
import { prefixFault, splitKey } from '../core/prefixes.ts';
import { BookError, type FieldChanges } from './book.ts';
import { isTexts } from './texts.ts';
import { MAX_LIST } from './limits.ts';

/** Frontends in one page at most. */
const MAX_PAGE = 1000;

/**
 * The places whose backend is another or gone: marks of theirs would be somebody else's.
 * @param before the identifier, then the backends; empty when there was no such list
 */
export function changedPlaces(before: readonly string[], after: readonly string[]): readonly number[] {
  const places: number[] = [];
  for (let i = 1; i < Math.max(before.length, after.length); i++) {
    if (before[i] !== after[i]) places.push(i - 1);
  }
  return places;
}

/** A frontend's host and prefix, where it has one that requests can match; else null. */
export function pathOfKey(key: string): { readonly host: string; readonly prefix: string } | null {
  const split = splitKey(key);
  return split.prefix === '' || prefixFault(split.prefix) !== null ? null : split;
}

/** The fields as they are afterwards: those that are new stand last. */
export function withFields(before: OptionFields, changes: FieldChanges): OptionFields {
  const after = new Map(before);
  for (const [field, text] of changes) {
    if (text === null) after.delete(field);
    else after.set(field, text);
  }
  return after;
}

/** @throws BookError `bad-list` for what cannot be a frontend's list */
export function checkList(list: readonly string[]): void {
  if (!isTexts(list) || list.length === 0) throw new BookError('bad-list', 'a list begins with a name');
  if (list.length > MAX_LIST) {
    throw new BookError('bad-list', `a list of ${list.length} elements; at most ${MAX_LIST} are allowed`);
  }
}

/** How many elements a page may have, whatever was asked for. */
export function withinPage(limit: number): number {
  return Math.min(MAX_PAGE, Math.max(1, Math.floor(limit) || 1));
}

/** A cursor as text for an address or a command line. */
export function encodeCursor(place: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @throws BookError `bad-cursor` for what `encodeCursor` has not made */
export function decodeCursor(cursor: string): readonly unknown[] {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(place)) return place;
  } catch {
    // Told below.
  }
  throw badCursor();
}

export function badCursor(): BookError {
  return new BookError('bad-cursor', 'is no cursor of this list; begin with the first page');
}
