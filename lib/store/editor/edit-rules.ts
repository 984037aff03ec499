/** Rules of edits that all editors share. Pure functions. */
import type { SiteFields } from '../../core/routing/site.ts';
import { prefixFault, splitKey } from '../../core/routing/prefixes.ts';
import { checkFieldFault } from '../../sites/healthcheck.ts';
import { fieldFault } from '../../sites/site.ts';
import type { FieldChanges, FieldsHash } from './route-editor.ts';
import { isTexts } from '../texts.ts';
import { MAX_LIST } from '../limits.ts';
import { EditorError } from '../editor-error.ts';

/**
 * The positions whose backend was changed or removed: their dead marks would apply to another backend.
 * @param before the identifier, then the backends; empty when there was no list
 */
export function changedPlaces(before: readonly string[], after: readonly string[]): readonly number[] {
  const places: number[] = [];
  for (let i = 1; i < Math.max(before.length, after.length); i++) {
    if (before[i] !== after[i]) places.push(i - 1);
  }
  return places;
}

/** A frontend's host and prefix, if it has one that requests can match; else null. */
export function pathOfKey(key: string): { readonly host: string; readonly prefix: string } | null {
  const split = splitKey(key);
  return split.prefix === '' || prefixFault(split.prefix) !== null ? null : split;
}

/** The fields after the changes. New ones come last. */
export function withFields(before: SiteFields, changes: FieldChanges): SiteFields {
  const after = new Map(before);
  for (const [field, text] of changes) {
    if (text === null) after.delete(field);
    else after.set(field, text);
  }
  return after;
}

/** Why a field of one of a frontend's hashes cannot be used; null when it can. */
export function editedFieldFault(hash: FieldsHash, field: string, text: string): string | null {
  return hash === 'healthcheck' ? checkFieldFault(field, text) : fieldFault(field, text, hash);
}

/** @throws EditorError `bad-list` for an invalid list */
export function checkList(list: readonly string[]): void {
  if (!isTexts(list) || list.length === 0)
    throw new EditorError('bad-list', 'the first element of a list must be a name');
  if (list.length > MAX_LIST) {
    throw new EditorError('bad-list', `a list of ${list.length} elements; at most ${MAX_LIST} are allowed`);
  }
}
