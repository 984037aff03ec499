/** Where active checks come from and go to: the lists that are due, and the results. */
import type { CheckRules, MarkAction, MarkLife } from '../core/health/check-rules.ts';
import { splitKey } from '../core/routing/prefixes.ts';
import type { SiteFields } from '../core/routing/site.ts';

/** A list whose backends are to be checked now, by this router alone. */
export interface DueList {
  readonly key: string;
  /** The hash `healthcheck:<key>`. */
  readonly fields: SiteFields;
  /** The identifier, then the URLs. */
  readonly list: readonly string[];
  /** The members of `dead:<key>`. */
  readonly dead: readonly string[];
  /** Fields and values of `marks:<key>` in turn. */
  readonly marks: readonly string[];
  /** The URLs of `down:<key>`: see `hasSharedList`. */
  readonly down: readonly string[];
  /** The last results, by URL: see `readResult`. */
  readonly results: SiteFields;
}

/** The result of a check. */
export interface CheckReport {
  readonly key: string;
  /** The backend's, as in the list, without white space around it. */
  readonly url: string;
  /** The backend as announcements on the channel `dead` name it. */
  readonly entry: string;
  /** What is kept: see `writeResult`. */
  readonly result: string;
  /** The backend is up, and only such get traffic: the rule `first`. */
  readonly isGood: boolean;
  readonly action: MarkAction;
  readonly life: MarkLife;
  /** How long the results of the list are kept, ms. */
  readonly keepMs: number;
  /** URLs of the list that cannot be used: they do not count as living. */
  readonly unusable: readonly string[];
}

/**
 * What became of a report. `marked`: the mark is new. `kept`: it was there. `last`: not marked, no other backend of the
 * list is alive. `cleared`: a router's mark was removed. `noted`: nothing had to be done. `moved`: the URL is not in the
 * list any more. `gone`: the list is not checked any more. `failed`: a key has another type, or is refused.
 */
export type CheckOutcome = 'marked' | 'kept' | 'last' | 'cleared' | 'noted' | 'moved' | 'gone' | 'failed';

/** What a turn has brought. */
export interface CheckTurn {
  /** Of each report, in order; empty while checks are paused or off. */
  readonly outcomes: readonly CheckOutcome[];
  readonly due: readonly DueList[];
  /** The number of lists that are checked, by all routers. */
  readonly lists: number;
  /** Another active health checker runs: nothing is checked. */
  readonly isPaused: boolean;
  /** Why there are no checks; null when there may be. */
  readonly off: string | null;
}

/** Shares checks among all routers of a store. */
export interface CheckSource {
  /**
   * Files results, and takes lists that are due: no other router gets them before the next interval.
   * @param max how many lists are taken at most
   * @throws RouterError `store-unavailable`
   */
  turn(reports: readonly CheckReport[], max: number): Promise<CheckTurn>;
  /** Ends what it does in the background. */
  close(): void;
}

/** How long results are kept after the last one, ms. */
export function keepResultsMs({ intervalMs }: Pick<CheckRules, 'intervalMs'>): number {
  return 10 * intervalMs + 60_000;
}

/**
 * Whether hosts of other names have this list: all that a wildcard matches, or an IPv6 address, which has brackets as a host.
 * Lookups read the dead marks of the host. So checks keep the URLs of its backends that are down in a set of the list's own,
 * `down:<key>`, which lookups read, too.
 */
export function hasSharedList(key: string): boolean {
  const { host } = splitKey(key);
  return host.startsWith('*') || (host.includes(':') && !host.startsWith('['));
}
