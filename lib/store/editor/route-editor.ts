/** Routes as an operator reads and edits them: uncached, with invalid content shown instead of hidden. */
import type { DeathRecord } from '../../core/health/trial.ts';
import type { SiteFields, SiteHash } from '../../core/routing/site.ts';
import type { UrlRules } from '../../core/routing/url-rules.ts';
import type { StoredCertificate, StoredPair } from '../certificates.ts';
import type { Advice } from './advice.ts';
import type { FrontendSet, SetChange } from './frontend-set.ts';
import type { LogPage, LogQuery } from './route-log.ts';

/** The content of a key. */
export interface StoredValue {
  /** The key as the store spells it: in Redis `frontend:www.x.com` with the prefix, in a file `www.x.com`. */
  readonly key: string;
  /** `list`, `set`, `string`, …; `none` if the key does not exist, `unknown` if this user may not read it. */
  readonly type: string;
  /**
   * The list's elements, at most one more than allowed; the set's members; the hash's fields and values in turn. Empty
   * for other types, and for a set or hash that is larger than the router accepts.
   */
  readonly holds: readonly string[];
  /** The number of elements, including those that were not read. */
  readonly length: number;
  /** Null: no expiry. */
  readonly secondsLeft: number | null;
}

/** A frontend, with the dead marks under its own name. */
export interface StoredFrontend {
  /** `www.x.com`, `*.x.com` or `*`. */
  readonly key: string;
  readonly list: StoredValue;
  readonly dead: StoredValue;
  readonly marks: MarkedUrls;
  readonly deaths: StoredDeaths;
}

/**
 * The records of backends that routers marked dead, by URL: when their trials are due. Empty when there are none, or when
 * this user may not read them.
 */
export type StoredDeaths = ReadonlyMap<string, DeathRecord>;

export const NO_DEATHS: StoredDeaths = new Map();

/**
 * The URLs that routers' marks are for: fields (ids) and values in turn, as in `marks:<host>`. Empty when there are
 * none, or when this user may not read them.
 */
export type MarkedUrls = readonly string[];

/** The content of the keys that a host's lookup reads. */
export interface StoredCandidates {
  readonly host: string;
  /** One per candidate, in their order. */
  readonly lists: readonly StoredValue[];
  readonly dead: StoredValue;
  readonly marks: MarkedUrls;
  readonly deaths: StoredDeaths;
}

/** A page of frontends. */
export interface FrontendPage {
  readonly entries: readonly StoredFrontend[];
  /** The cursor of the next page; null at the end. A page may be short, even empty, and have a next one. */
  readonly next: string | null;
}

/** The parameters of a page. */
export interface PageOptions {
  /** `next` of the page before; null for the first. */
  readonly cursor: string | null;
  /** The maximum number of frontends, 1 to 1,000. */
  readonly limit: number;
  /** Text that the key must contain; "" for any. */
  readonly match: string;
}

/** What can belong to a frontend's list: a set of prefixes, hashes of options, of header fields, of weights, of active checks and of error pages. */
export type MetadataKind = 'prefixes' | FieldsHash | 'errors';

/** The hashes whose fields can be changed one by one. */
export type FieldsHash = SiteHash | 'healthcheck';

export const METADATA_KINDS: readonly MetadataKind[] = [
  'prefixes',
  'options',
  'headers',
  'weights',
  'healthcheck',
  'errors',
];

/** The type of each kind. */
export const METADATA_TYPES: Readonly<Record<MetadataKind, 'set' | 'hash'>> = {
  prefixes: 'set',
  options: 'hash',
  headers: 'hash',
  weights: 'hash',
  healthcheck: 'hash',
  errors: 'hash',
};

/** Keys that are not a frontend's. */
export interface UnknownKeysPage {
  /** Hosts that have dead marks. */
  readonly deadHosts: readonly string[];
  /** Keys that were probably meant to be a frontend's or a dead mark's. */
  readonly suspects: readonly string[];
  /** Keys of certificates, without the part before the host. */
  readonly certificateKeys: readonly string[];
  /** Keys of metadata, without the part before the host. */
  readonly metadataKeys: readonly (readonly [kind: MetadataKind, key: string])[];
  readonly next: string | null;
}

/** What active checks have found. */
export interface StoredChecks {
  /** The last results, by URL: see `readResult`. */
  readonly results: SiteFields;
  /** With the rule `first`, the URLs that have passed a check; else empty. */
  readonly checked: readonly string[];
  /** The URLs of `down:<key>`, which fail their checks: see `hasSharedList`. */
  readonly down: readonly string[];
  /** Until that set expires; null: never, or there is none. */
  readonly downSeconds: number | null;
}

/** The sign of an active health checker. */
export interface CheckerSign {
  /** The type of `hchecker_ping`; `none` if it does not exist. */
  readonly type: string;
  /** Its value, if it is a string. */
  readonly ping: string | null;
}

/** The result of an edit. Null: there was, or is, no such frontend. */
export interface ListChange {
  readonly before: readonly string[] | null;
  readonly after: readonly string[] | null;
}

/** The new values of fields; null removes a field. Other fields are kept. */
export type FieldChanges = ReadonlyMap<string, string | null>;

/** The result of a change of fields. */
export interface FieldsChange {
  readonly before: SiteFields;
  readonly after: SiteFields;
}

/** Options of an edit. */
export interface EditOptions {
  /** Whether keys of another type may be overwritten. */
  readonly isForced?: boolean;
  /** For `writeSets`: whether lists keep their TTL. */
  readonly keepsEnd?: boolean;
}

/**
 * Computes the new list from the current one (empty when there is none). The same array: nothing to do. Null: remove
 * the frontend. May be called several times. What it throws ends the edit.
 */
export type Edit = (list: readonly string[]) => readonly string[] | null;

/**
 * Reads and edits the routes of a store. Every call ends within a few times the time limit that the editor was opened
 * with, and rejects with an EditorError. Keys of frontends are given without `frontend:`.
 */
export interface RouteEditor {
  /** The store's name for operators, without passwords. */
  readonly name: string;
  /** The name of the store that edits go to: the second driver URL, or the file's path. */
  readonly writeName: string;
  /** The prefix before `frontend:`; empty for a file. */
  readonly prefix: string;
  /** Which parts of a URL the router uses that serves these routes. */
  readonly urls: UrlRules;
  /** How an operator repairs the content of this store. */
  readonly advice: Advice;
  /** Whether workers have all routes in memory, and use them while the store cannot be read. */
  readonly isInMemory: boolean;
  /** Whether a host's prefixes are a separate set, which may contradict the lists. */
  readonly hasPrefixSets: boolean;
  /** A frontend's key as the store spells it. */
  frontendName(key: string): string;
  /** The reverse; null for the spelling of another kind of key. */
  frontendKey(name: string): string | null;
  /** The content of the candidates' keys, and the host's dead marks. */
  look(candidates: readonly string[], host: string): Promise<StoredCandidates>;
  /** Frontends, page by page, in no particular order. A frontend that exists all the time is in at least one page. */
  page(options: PageOptions): Promise<FrontendPage>;
  /**
   * Keys, as the store spells them, that contain the host's name in some spelling. In a large store the search ends
   * early.
   */
  near(host: string): Promise<readonly string[]>;
  /** All other relevant keys, page by page, of at most `limit` keys of the store. */
  unknownKeys(cursor: string | null, limit: number): Promise<UnknownKeysPage>;
  checker(): Promise<CheckerSign>;
  /** What active checks have found of a frontend; nothing with a file, where a worker has it. */
  checks(key: string): Promise<StoredChecks>;
  /** The key of metadata, as the store spells it: `options:www.x.io`. */
  metadataKey(kind: MetadataKind, key: string): string;
  /** The metadata of these keys, in their order. */
  sides(kind: MetadataKind, keys: readonly string[]): Promise<readonly StoredValue[]>;
  /** Which of these prefixes a host's key has. */
  prefixesAmong(key: string, prefixes: readonly string[]): Promise<readonly string[]>;
  /** A certificate's key, as the store spells it: `tls:www.x.io`. */
  certificateName(key: string): string;
  /** A certificate. It has a private key, which must not be shown. */
  certificate(key: string): Promise<StoredCertificate>;
  /** The paths of a certificate's files; null where it is in Redis. */
  certificateFiles(key: string): { readonly certificate: string; readonly key: string } | null;
  /** Writes a certificate in one step, unchecked. Rejects where certificates are files, which are placed by hand. */
  writeCertificate(key: string, pair: Omit<StoredPair, 'type'>): Promise<void>;
  /**
   * Replaces the content of a key with a list, in one step. Any TTL on the key is removed. A frontend with a path,
   * `www.x.io/api`, is added to the prefixes of its host in the same step, in a cluster right after; `change` and
   * `remove` handle prefixes in the same way.
   */
  replace(key: string, list: readonly string[], options?: EditOptions): Promise<ListChange>;
  /** Changes a list in one step. Concurrent changes of others are not lost. */
  change(key: string, edit: Edit, options?: EditOptions): Promise<ListChange>;
  /** Removes a frontend and its dead marks. Succeeds if there is none. */
  remove(key: string, options?: EditOptions): Promise<ListChange>;
  /** Changes some fields of one of a frontend's hashes in one step, and keeps the others. Values are not checked. */
  changeFields(hash: FieldsHash, key: string, changes: FieldChanges, options?: EditOptions): Promise<FieldsChange>;
  /**
   * Frontends whole, in the order of the keys: empty where there is none.
   * @param options `isFresh`: as the store that takes edits has them, where that is another than the one that is read
   */
  sets(keys: readonly string[], options?: { readonly isFresh?: boolean }): Promise<readonly FrontendSet[]>;
  /**
   * Writes whole frontends, each in one step and only if it is as `before`; in a cluster each of its keys. Also
   * maintains prefixes and dead marks, as `replace` does. For many frontends, this is much faster than one by one.
   * @returns one per change: false for one that has changed. When this rejects, some may have been written.
   */
  writeSets(changes: readonly SetChange[], options?: EditOptions): Promise<readonly boolean[]>;
  /**
   * Removes a host's dead marks, also those of its routers. A file has none: they are in the memory of workers.
   * @param urls the URLs of the host's list, in its order
   * @param url null for all
   * @returns how many backends had been marked
   */
  clearDead(host: string, urls: readonly string[], url: string | null): Promise<number>;
  /** The changes that editors have made, if they were opened with a name. @throws EditorError `no-history` for a file */
  log(query: LogQuery): Promise<LogPage>;
  /** Frees sockets and timers. Idempotent. */
  close(): Promise<void>;
}
