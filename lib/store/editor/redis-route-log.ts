import { isReplyError, type RedisLink } from '../redis-client/link.ts';
import { isCommandRefused } from '../redis-client/refusals.ts';
import { notUnderstood, type RedisCommand } from '../redis-client/protocol.ts';
import type { SiteFields } from '../../core/routing/site.ts';
import { isSameSet, NO_SET, type SetChange, withHashOf } from './frontend-set.ts';
import type { FieldsHash, ListChange } from './route-editor.ts';
import {
  entryOfSet,
  LOG_KEY,
  type LogEntry,
  type LoggedEntry,
  loggedEntryOf,
  type LogPage,
  type LogQuery,
  MAX_LOG,
} from './route-log.ts';

/** Entries that are read together. */
const PAGE = 500;
/** Pages that are read at most: others may have written to the stream. */
const MAX_PAGES = (4 * MAX_LOG) / PAGE;

/** How an editor adds to the log of changes. A log that it may not write prevents no edit: it then keeps none. */
export class RedisRouteLog {
  /** The stream. */
  readonly key: string;
  #by: string | null;

  /** @param by who makes the edits of this editor; null to keep no log */
  constructor(prefix: string, by: string | null) {
    this.key = prefix + LOG_KEY;
    this.#by = by;
  }

  /** Who makes the edits; null while no log is kept. */
  get by(): string | null {
    return this.#by;
  }

  entryOf(change: SetChange): LogEntry | null {
    return this.#by === null ? null : entryOfSet(this.#by, change);
  }

  /** The command that adds an entry. */
  command({ most, fields }: LogEntry): RedisCommand {
    return ['xadd', this.key, 'MAXLEN', '~', String(most), '*', ...fields];
  }

  /**
   * Whether the log may be the reason for this refusal of an edit that has an entry. If so, the log is no longer kept, and
   * the edit is to be repeated without.
   */
  isRefused(error: Error): boolean {
    if (!isCommandRefused(error) && !error.message.startsWith('EXECABORT')) return false;
    this.#by = null;
    return true;
  }

  /** Reads the log, the newest entry first. @throws EditorError */
  async read(link: RedisLink, key: string, { key: frontend, since, limit }: LogQuery): Promise<LogPage> {
    const [oldest] = rowsOf(await link.send(['xrange', key, '-', '+', 'COUNT', '1'], link.deadline()));
    const entries: LoggedEntry[] = [];
    const start = since === null ? '-' : String(since);
    for (let end = '+', pages = 0; entries.length < limit && pages < MAX_PAGES; pages++) {
      const command = ['xrevrange', key, end, start, 'COUNT', String(PAGE)] as const;
      const rows = rowsOf(await link.send(command, link.deadline()));
      for (const [i, row] of rows.entries()) {
        // Redis 6.0 has no exclusive ranges: the last row of a page is the first of the next.
        if (i === 0 && end !== '+') continue;
        const entry = loggedEntryOf(row);
        if (entry !== null && (frontend === null || entry.key === frontend)) entries.push(entry);
      }
      const last = idOf(rows.at(-1));
      if (rows.length < PAGE || last === null) break;
      end = last;
    }
    const first = oldest === undefined ? null : idOf(oldest);
    return { entries: entries.slice(0, limit), begins: first === null ? null : Number.parseInt(first, 10) };
  }

  /** Adds an entry after an edit, where it cannot be part of it: in a cluster it is on another node. */
  async add(link: RedisLink, entry: LogEntry | null): Promise<void> {
    if (entry === null || this.#by === null) return;
    const [reply] = await link.sendAll([this.command(entry)], link.deadline()).catch((error: unknown) => [error]);
    if (isReplyError(reply)) this.isRefused(reply);
  }
}

/** The log, for one edit of one frontend. */
export class LogOfEdit {
  readonly log: RedisRouteLog;
  readonly #key: string;
  readonly #hash: FieldsHash | null;

  /** @param hash the hash that is edited; null for the list */
  constructor(log: RedisRouteLog, key: string, hash: FieldsHash | null) {
    this.log = log;
    this.#key = key;
    this.#hash = hash;
  }

  /** Null when nothing changes, or no log is kept. */
  entryOfList({ before, after }: ListChange): LogEntry | null {
    return this.#entryOf({ key: this.#key, before: { ...NO_SET, list: before }, after: { ...NO_SET, list: after } });
  }

  /** As `entryOfList`, for the fields of a hash. */
  entryOfHash(before: SiteFields, after: SiteFields): LogEntry | null {
    if (this.#hash === null) return null;
    const [old, fresh] = [withHashOf(NO_SET, this.#hash, before), withHashOf(NO_SET, this.#hash, after)];
    return this.#entryOf({ key: this.#key, before: old, after: fresh });
  }

  #entryOf(change: SetChange): LogEntry | null {
    return isSameSet(change.before, change.after) ? null : this.log.entryOf(change);
  }
}

function rowsOf(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw notUnderstood(reply);
  return reply;
}

function idOf(row: unknown): string | null {
  const [id]: unknown[] = Array.isArray(row) ? row : [];
  return typeof id === 'string' ? id : null;
}
