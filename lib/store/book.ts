/** Routes as an operator sees and edits them: nothing is remembered, and what is wrong is shown, not hidden. */
import type { OptionFields } from '../core/options.ts';
import type { UrlRules } from '../core/url-rules.ts';
import type { HeldCertificate } from './certificates.ts';

/** What stands at a key of the store. */
export interface Held {
  /** As the store spells it: `frontend:www.x.com` with its prefix in Redis, `www.x.com` in a file. */
  readonly key: string;
  /** `list`, `set`, `string`, …; `none` where nothing stands, `unknown` where this user may not look. */
  readonly type: string;
  /**
   * The list's elements, at most one more than a list may have; the set's members; the hash's fields and values in turn.
   * Empty for other types, and for a set or hash beside a list that is longer than the router takes.
   */
  readonly holds: readonly string[];
  /** How many elements there are, those that were not read too. */
  readonly length: number;
  /** Null: without an end. */
  readonly secondsLeft: number | null;
}

/** One frontend, and the dead marks under its own name. */
export interface BookEntry {
  /** `www.x.com`, `*.x.com` or `*`. */
  readonly key: string;
  readonly list: Held;
  readonly dead: Held;
}

/** What stands where a host's route is looked for. */
export interface BookLook {
  readonly host: string;
  /** One for each candidate, in their order. */
  readonly lists: readonly Held[];
  readonly dead: Held;
}

export interface BookPage {
  readonly entries: readonly BookEntry[];
  /** Where the next page begins; null when there is none. A page may be short, even empty, and have a next one. */
  readonly next: string | null;
}

/** What is asked for with a page. */
export interface PageOptions {
  /** `next` of the page before; null for the first. */
  readonly cursor: string | null;
  /** Frontends at most, 1 to 1,000. */
  readonly limit: number;
  /** A part that the key must have; "" is any. */
  readonly match: string;
}

/** What can stand beside a frontend's list: a set of prefixes, a hash of options, a hash of error pages. */
export type SideKind = 'prefixes' | 'options' | 'errors';

export const SIDE_KINDS: readonly SideKind[] = ['prefixes', 'options', 'errors'];

/** What should stand there. */
export const SIDE_TYPES: Readonly<Record<SideKind, 'set' | 'hash'>> = {
  prefixes: 'set',
  options: 'hash',
  errors: 'hash',
};

/** Keys that are no frontend's. */
export interface StrayPage {
  /** Hosts that have dead marks. */
  readonly deadHosts: readonly string[];
  /** Keys that look as if they were meant to be a frontend's or a dead mark's. */
  readonly suspects: readonly string[];
  /** Keys of certificates, without what stands before the host. */
  readonly certificateKeys: readonly string[];
  /** Keys of what stands beside lists, without what stands before the host. */
  readonly sideKeys: readonly (readonly [kind: SideKind, key: string])[];
  readonly next: string | null;
}

/** An active health checker's sign of life. */
export interface CheckerSign {
  /** The type of `hchecker_ping`; `none` where nothing stands. */
  readonly type: string;
  /** What it holds, when it is a string. */
  readonly ping: string | null;
}

/** What an edit has done. Null: there was, or is, no such frontend. */
export interface BookChange {
  readonly before: readonly string[] | null;
  readonly after: readonly string[] | null;
}

/** What is to become of fields: another value, or nothing (null). Others stay. */
export type FieldChanges = ReadonlyMap<string, string | null>;

/** What a change of options has done. */
export interface OptionsChange {
  readonly before: OptionFields;
  readonly after: OptionFields;
}

export interface EditOptions {
  /** Whether keys of a wrong type may be overwritten. */
  readonly isForced?: boolean;
}

/**
 * From the list that stands there (empty when there is none) to the one that shall. The same array: nothing is to be
 * done. Null: the frontend is to be removed. It may be called several times. What it throws ends the edit.
 */
export type Edit = (list: readonly string[]) => readonly string[] | null;

/**
 * The routes of a store. Every call ends within a few times the time limit that the book was opened with, and rejects
 * with a BookError. Keys of frontends are given without `frontend:`.
 */
export interface RouteBook {
  readonly kind: 'redis' | 'file';
  /** The store as an operator knows it, without passwords. */
  readonly name: string;
  /** What stands before `frontend:`; empty for a file. */
  readonly prefix: string;
  /** What the router that serves it makes of its URLs. */
  readonly urls: UrlRules;
  /** What stands at the candidates' keys and at the host's dead marks. */
  look(candidates: readonly string[], host: string): Promise<BookLook>;
  /** Frontends, a page at a time, in no particular order. One that is there all the time is in at least one page. */
  page(options: PageOptions): Promise<BookPage>;
  /** Keys, as the store spells them, that hold the host's name in some spelling. The search ends early in a large store. */
  near(host: string): Promise<readonly string[]>;
  /** All other keys that matter, a page at a time, `limit` keys of the store at most. */
  strays(cursor: string | null, limit: number): Promise<StrayPage>;
  checker(): Promise<CheckerSign>;
  /** As the store spells what stands beside a frontend's list: `options:www.x.io`. */
  sideName(kind: SideKind, key: string): string;
  /** What stands beside the lists of these keys, in their order. */
  sides(kind: SideKind, keys: readonly string[]): Promise<readonly Held[]>;
  /** Which of these prefixes a host's key has, however many it has. */
  prefixesAmong(key: string, prefixes: readonly string[]): Promise<readonly string[]>;
  /** As the store spells what stands under a certificate's key: `tls:www.x.io`. */
  certificateName(key: string): string;
  /** What stands there. It has a private key in it, which is not to be shown. */
  certificate(key: string): Promise<HeldCertificate>;
  /**
   * Puts a list in the place of what stands there, in one step. An end of its life that the key had is gone. A frontend
   * with a path, `www.x.io/api`, is put among the prefixes of its host in the same step, or in a cluster right after;
   * `change` and `remove` see to that likewise.
   */
  replace(key: string, list: readonly string[], options?: EditOptions): Promise<BookChange>;
  /** Changes a list in one step: what others change meanwhile is not lost. */
  change(key: string, edit: Edit, options?: EditOptions): Promise<BookChange>;
  /** Removes a frontend and its dead marks. One that is not there is no fault. */
  remove(key: string, options?: EditOptions): Promise<BookChange>;
  /** Changes some fields of a frontend's options in one step, and leaves the others alone. Nothing is checked. */
  changeOptions(key: string, changes: FieldChanges, options?: EditOptions): Promise<OptionsChange>;
  /** Frees sockets and timers. Idempotent. */
  close(): Promise<void>;
}

/** Why a book could not be read or edited. */
export type BookErrorCode =
  /** No answer from the store, or not in time. Of an edit it is not known whether it was made. */
  | 'store-unavailable'
  /** The store, or the file system, does not allow it. */
  | 'store-refused'
  /** Something else than a list or a set stands at a key; it was not touched. */
  | 'wrong-type'
  /** The list cannot be one: empty, or longer than 10,000 elements. */
  | 'bad-list'
  /** Others changed the same frontend all the time, or hold the file's lock. */
  | 'busy'
  /** The routes file cannot be used as it is. */
  | 'broken-file'
  /** No such cursor. */
  | 'bad-cursor';

export class BookError extends Error {
  override readonly name = 'BookError';
  readonly code: BookErrorCode;

  constructor(code: BookErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
