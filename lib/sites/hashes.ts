/** The hashes that make a site: which there are, and how large they may be. */
import type { SiteFields, SiteHash } from '../core/routing/site.ts';

export const SITE_HASHES: readonly SiteHash[] = ['options', 'headers', 'weights'];

/** What one of them may have. */
interface HashRule {
  /** With more fields, none counts. */
  readonly maxFields: number;
  /** The same of all characters, names and values: they become a part of every message. */
  readonly maxCharacters: number;
  /** Why a field that no feature has does not count. */
  readonly unknown: string;
}

export const HASH_RULES: Readonly<Record<SiteHash, HashRule>> = {
  options: { maxFields: 100, maxCharacters: Infinity, unknown: 'there is no such option' },
  headers: { maxFields: 32, maxCharacters: 8_192, unknown: 'it is neither "request:NAME" nor "response:NAME"' },
  weights: { maxFields: 1_000, maxCharacters: 100_000, unknown: 'it is no URL of a backend' },
};

/** Why none of a hash's fields counts; null where they may. */
export function hashFault(hash: SiteHash, fields: SiteFields): string | null {
  const { maxFields, maxCharacters } = HASH_RULES[hash];
  if (fields.size > maxFields) return `has more than ${maxFields} fields`;
  let characters = 0;
  for (const [field, text] of fields) characters += field.length + text.length;
  return characters > maxCharacters ? `has more than ${maxCharacters} characters` : null;
}
