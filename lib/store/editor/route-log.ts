/** The log of changes: what changed in which frontend, when, and by whom. Pure functions. */
import type { SiteFields } from '../../core/routing/site.ts';
import { changedHashes, isSameList, type SetChange, type SetHash } from './frontend-set.ts';

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
