/** Routes as an operator sees and edits them: nothing is remembered, and what is wrong is shown, not hidden. */
import type { SiteFields } from '../../core/routing/site.ts';
import type { UrlRules } from '../../core/routing/url-rules.ts';
import type { StoredCertificate } from '../certificates.ts';
import type { Advice } from './advice.ts';

/** What stands at a key of the store. */
export interface StoredValue {
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
export interface StoredFrontend {
  /** `www.x.com`, `*.x.com` or `*`. */
  readonly key: string;
  readonly list: StoredValue;
  readonly dead: StoredValue;
  readonly marks: MarkedUrls;
}

/**
 * Which URLs routers' marks are for: fields (ids) and values in turn, as `marks:<host>` has them. Empty where there are
 * none, or this user may not look.
 */
export type MarkedUrls = readonly string[];

/** What stands where a host's route is looked for. */
export interface StoredCandidates {
  readonly host: string;
  /** One for each candidate, in their order. */
  readonly lists: readonly StoredValue[];
  readonly dead: StoredValue;
  readonly marks: MarkedUrls;
}

export interface FrontendPage {
  readonly entries: readonly StoredFrontend[];
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
export type MetadataKind = 'prefixes' | 'options' | 'errors';

export const METADATA_KINDS: readonly MetadataKind[] = ['prefixes', 'options', 'errors'];

/** What should stand there. */
export const METADATA_TYPES: Readonly<Record<MetadataKind, 'set' | 'hash'>> = {
  prefixes: 'set',
  options: 'hash',
  errors: 'hash',
};

/** Keys that are no frontend's. */
export interface UnknownKeysPage {
  /** Hosts that have dead marks. */
  readonly deadHosts: readonly string[];
  /** Keys that look as if they were meant to be a frontend's or a dead mark's. */
  readonly suspects: readonly string[];
  /** Keys of certificates, without what stands before the host. */
  readonly certificateKeys: readonly string[];
  /** Keys of what stands beside lists, without what stands before the host. */
  readonly metadataKeys: readonly (readonly [kind: MetadataKind, key: string])[];
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
export interface ListChange {
  readonly before: readonly string[] | null;
  readonly after: readonly string[] | null;
}

/** What is to become of fields: another value, or nothing (null). Others stay. */
export type FieldChanges = ReadonlyMap<string, string | null>;

/** What a change of options has done. */
export interface OptionsChange {
  readonly before: SiteFields;
  readonly after: SiteFields;
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
 * The routes of a store. Every call ends within a few times the time limit that the editor was opened with, and rejects
 * with a EditorError. Keys of frontends are given without `frontend:`.
 */
export interface RouteEditor {
  /** The store as an operator knows it, without passwords. */
  readonly name: string;
  /** The same of where edits go: the second driver URL, or the file's path. */
  readonly writeName: string;
  /** What stands before `frontend:`; empty for a file. */
  readonly prefix: string;
  /** Which parts of a URL the router that serves these routes takes into account. */
  readonly urls: UrlRules;
  /** How an operator repairs what is stored here. */
  readonly advice: Advice;
  /** Whether workers hold all routes in memory, and serve them while the store cannot be read. */
  readonly isInMemory: boolean;
  /** Whether a host's prefixes are a set of their own, which may differ from the lists. */
  readonly hasPrefixSets: boolean;
  /** A frontend's key as the store spells it. */
  frontendName(key: string): string;
  /** The reverse; null for what is spelled as another kind of key. */
  frontendKey(name: string): string | null;
  /** What stands at the candidates' keys and at the host's dead marks. */
  look(candidates: readonly string[], host: string): Promise<StoredCandidates>;
  /** Frontends, a page at a time, in no particular order. One that is there all the time is in at least one page. */
  page(options: PageOptions): Promise<FrontendPage>;
  /** Keys, as the store spells them, that hold the host's name in some spelling. The search ends early in a large store. */
  near(host: string): Promise<readonly string[]>;
  /** All other keys that matter, a page at a time, `limit` keys of the store at most. */
  unknownKeys(cursor: string | null, limit: number): Promise<UnknownKeysPage>;
  checker(): Promise<CheckerSign>;
  /** As the store spells what stands beside a frontend's list: `options:www.x.io`. */
  metadataKey(kind: MetadataKind, key: string): string;
  /** What stands beside the lists of these keys, in their order. */
  sides(kind: MetadataKind, keys: readonly string[]): Promise<readonly StoredValue[]>;
  /** Which of these prefixes a host's key has, however many it has. */
  prefixesAmong(key: string, prefixes: readonly string[]): Promise<readonly string[]>;
  /** As the store spells what stands under a certificate's key: `tls:www.x.io`. */
  certificateName(key: string): string;
  /** What stands there. It has a private key in it, which is not to be shown. */
  certificate(key: string): Promise<StoredCertificate>;
  /**
   * Puts a list in the place of what stands there, in one step. An end of its life that the key had is gone. A frontend
   * with a path, `www.x.io/api`, is put among the prefixes of its host in the same step, or in a cluster right after;
   * `change` and `remove` see to that likewise.
   */
  replace(key: string, list: readonly string[], options?: EditOptions): Promise<ListChange>;
  /** Changes a list in one step: what others change meanwhile is not lost. */
  change(key: string, edit: Edit, options?: EditOptions): Promise<ListChange>;
  /** Removes a frontend and its dead marks. One that is not there is no fault. */
  remove(key: string, options?: EditOptions): Promise<ListChange>;
  /** Changes some fields of a frontend's options in one step, and leaves the others alone. Nothing is checked. */
  changeOptions(key: string, changes: FieldChanges, options?: EditOptions): Promise<OptionsChange>;
  /** Frees sockets and timers. Idempotent. */
  close(): Promise<void>;
}
