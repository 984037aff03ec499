/** The log of changes: what changed in which frontend, when, and by whom. Pure functions. */
import type { SiteFields } from '../../core/routing/site.ts';
import { fieldsOf } from '../fields.ts';
import { isTexts } from '../texts.ts';
import { changedHashes, isSameList, SET_HASHES, type SetChange, type SetHash } from './frontend-set.ts';

/** Redis' stream, after the prefix. */
export const LOG_KEY = 'routes:log';
/** How many changes are kept, approximately. */
export const MAX_LOG = 20_000;
/** A longer change is logged without its content, characters. */
const MAX_CHANGE = 8_192;

/** What was written in place of what: values before and after; null for no list. Only what has changed. */
export interface LoggedChange {
  readonly list?: readonly [before: readonly string[] | null, after: readonly string[] | null];
  readonly hashes?: Readonly<Partial<Record<SetHash, readonly [before: Fields, after: Fields]>>>;
}

type Fields = Readonly<Record<string, string>>;

/** An entry of the log, as it was read. */
export interface LoggedEntry {
  /** When, ms since 1970, by the clock of Redis. */
  readonly at: number;
  readonly key: string;
  /** Who made the change. */
  readonly by: string;
  /** Null where the change was too large to be logged with its content. */
  readonly change: LoggedChange | null;
}

/** Which entries are read. */
export interface LogQuery {
  /** Only those of this frontend; null for all. */
  readonly key: string | null;
  /** Only later ones, ms since 1970; null for all. */
  readonly since: number | null;
  /** At most so many. */
  readonly limit: number;
}

/** Entries, the newest first. */
export interface LogPage {
  readonly entries: readonly LoggedEntry[];
  /** When the oldest entry of the whole log was made, ms since 1970; null for an empty log. */
  readonly begins: number | null;
}

/** An entry to be added to the log. */
export interface LogEntry {
  /** The maximum length of the log. */
  readonly most: number;
  /** Fields and values in turn. */
  readonly fields: readonly string[];
}

/** The entry for a change of a frontend. @param by who made it, such as `alice@host` */
export function entryOfSet(by: string, { key, before, after }: SetChange): LogEntry {
  const kinds = changedHashes(before.hashes, after.hashes);
  const hashes = Object.fromEntries(
    kinds.map((hash) => [hash, [recordOf(before.hashes[hash]), recordOf(after.hashes[hash])]] as const),
  );
  return entryOf(by, key, {
    ...(isSameList(before.list, after.list) ? {} : { list: [before.list, after.list] }),
    ...(kinds.length === 0 ? {} : { hashes }),
  });
}

function entryOf(by: string, key: string, change: LoggedChange): LogEntry {
  const text = JSON.stringify(change);
  // Without its content it cannot be undone.
  return { most: MAX_LOG, fields: ['key', key, 'by', by, 'change', text.length > MAX_CHANGE ? '' : text] };
}

function recordOf(fields: SiteFields): Fields {
  return Object.fromEntries(fields);
}

/** Parses an entry of the stream. Null for one that is not an editor's. */
export function loggedEntryOf(reply: unknown): LoggedEntry | null {
  const [id, flat]: unknown[] = Array.isArray(reply) ? reply : [];
  if (typeof id !== 'string' || !isTexts(flat)) return null;
  const fields = fieldsOf(flat);
  const [key, by] = [fields.get('key'), fields.get('by')];
  if (key === undefined || by === undefined) return null;
  return { at: Number.parseInt(id, 10), key, by, change: changeOf(fields.get('change') ?? '') };
}

/** Null for a text that is not a change: others may write to the stream. */
function changeOf(text: string): LoggedChange | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  const { list, hashes = {} } = value;
  const isList = list === undefined || (isPair(list) && list.every((each) => each === null || isTexts(each)));
  const isHashes =
    isObject(hashes) &&
    Object.entries(hashes).every(([hash, pair]) => {
      return SET_HASHES.some((each) => each === hash) && isPair(pair) && pair.every(isFields);
    });
  return isList && isHashes ? value : null;
}

function isPair(value: unknown): value is readonly [unknown, unknown] {
  return Array.isArray(value) && value.length === 2;
}

function isFields(value: unknown): value is Fields {
  return isObject(value) && isTexts(Object.values(value));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
