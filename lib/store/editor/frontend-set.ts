/** A frontend whole: its list, and the hashes that belong to it. Pure functions. */
import { createHash } from 'node:crypto';
import type { SiteFields, SiteHash } from '../../core/routing/site.ts';

/** The hashes that are edited together with a list. */
export type SetHash = SiteHash | 'healthcheck' | 'errors';

export const SET_HASHES: readonly SetHash[] = ['options', 'headers', 'weights', 'healthcheck', 'errors'];

/** The hashes by kind; empty where there is no such key. */
export type SetHashes = Readonly<Record<SetHash, SiteFields>>;

/** All that an operator writes of a frontend, without dead marks and certificates. */
export interface FrontendSet {
  /** The identifier, then the URLs; null where there is no list. */
  readonly list: readonly string[] | null;
  readonly hashes: SetHashes;
  /** Keys that hold another type, as the store spells them. They count as empty. */
  readonly odd: readonly string[];
}

/** A frontend to write. */
export interface SetChange {
  readonly key: string;
  /** What it is written in place of. */
  readonly before: FrontendSet;
  readonly after: FrontendSet;
}

const NO_FIELDS: SiteFields = new Map();

export const NO_SET_HASHES: SetHashes = {
  options: NO_FIELDS,
  headers: NO_FIELDS,
  weights: NO_FIELDS,
  healthcheck: NO_FIELDS,
  errors: NO_FIELDS,
};

/** A frontend that does not exist. */
export const NO_SET: FrontendSet = { list: null, hashes: NO_SET_HASHES, odd: [] };

/** Whether there is nothing of it in the store. */
export function isNoSet({ list, hashes, odd }: FrontendSet): boolean {
  return list === null && odd.length === 0 && SET_HASHES.every((hash) => hashes[hash].size === 0);
}

/** The same with other fields in one of its hashes. */
export function withHashOf(set: FrontendSet, hash: SetHash, fields: SiteFields): FrontendSet {
  return { ...set, hashes: { ...set.hashes, [hash]: fields } };
}

/** The hashes whose fields differ. Their order does not count. */
export function changedHashes(a: SetHashes, b: SetHashes): readonly SetHash[] {
  return SET_HASHES.filter((hash) => !isSameFields(a[hash], b[hash]));
}

/** Whether two lists are the same. */
export function isSameList(a: readonly string[] | null, b: readonly string[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((element, i) => element === b[i]);
}

/** Whether nothing differs. */
export function isSameSet(a: FrontendSet, b: FrontendSet): boolean {
  return isSameList(a.list, b.list) && changedHashes(a.hashes, b.hashes).length === 0 && a.odd.length === b.odd.length;
}

/** An entity tag (RFC 9110 section 8.8.3), strong: it differs when anything that an operator can edit does. */
export function tagOf({ list, hashes, odd }: FrontendSet): string {
  const fields = SET_HASHES.map((hash) => [...hashes[hash]].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const text = JSON.stringify([list, fields, odd.length]);
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
}

function isSameFields(a: SiteFields, b: SiteFields): boolean {
  return a.size === b.size && [...a].every(([field, text]) => b.get(field) === text);
}
