/** The result of `explain`, as in docs/admin.md. Types only. */
import type { Fault } from './fault.ts';

/** A backend of a frontend, as in its list. */
export interface BackendView {
  readonly id: number;
  readonly url: string;
  /** `on-trial`: its time as a dead one is over, and no request has shown yet that it lives. */
  readonly state: 'alive' | 'dead' | 'on-trial' | 'unusable';
  /** How long it stays dead; null without expiry, and in other states. */
  readonly secondsLeft: number | null;
  /** Until one request tries it; 0 when one may. Null where there is no trial. */
  readonly trialInSeconds: number | null;
  /**
   * Who marked it dead. `router`: a router, for this URL. `other`: a health checker, an operator, or an older router.
   * Null without a mark.
   */
  readonly markedBy: 'router' | 'other' | null;
  /** Why the router cannot use it; null when it can. */
  readonly fault: string | null;
}

/** A frontend with its backends and problems. */
export interface FrontendView {
  readonly key: string;
  readonly name: string;
  readonly backends: readonly BackendView[];
  readonly faults: readonly Fault[];
}

/** What the lookup of a key found, or would have found. */
export type Verdict =
  | 'used'
  | 'absent'
  | 'names no backend'
  | 'unusable'
  | 'not reached'
  /** The store did not reply. */
  | 'not read'
  /** A list for a path that is not among the prefixes of its host. */
  | 'unlisted';

/** A key that the lookup reads, and what it found. */
export interface KeyView {
  readonly key: string;
  readonly type: string;
  readonly holds: readonly string[];
  readonly secondsLeft: number | null;
  readonly verdict: Verdict;
  readonly faults: readonly Fault[];
}

/** The dead marks of a host. */
export interface DeadView {
  readonly key: string;
  readonly type: string;
  readonly holds: readonly string[];
  readonly secondsLeft: number | null;
  readonly faults: readonly Fault[];
}

/** The content of a key at which a host's certificate is looked up. */
export interface CertificateKeyView {
  readonly key: string;
  readonly verdict: Exclude<Verdict, 'names no backend' | 'unlisted'>;
  /** The names that it is valid for, as in the certificate. */
  readonly names: readonly string[];
  /** ISO 8601; null when there is none that can be read. */
  readonly expiresAt: string | null;
  readonly faults: readonly Fault[];
}

/** The certificate that the handshake for a host gets, as far as the store decides that. */
export interface CertificateView {
  readonly text: string;
  readonly keys: readonly CertificateKeyView[];
}

/** The prefixes of a host that match the path. */
export interface PrefixView {
  /** The key of the prefixes, as the store spells it. */
  readonly key: string;
  /** The prefix whose list counts; null where the host's own list does. */
  readonly matched: string | null;
  /** Longer ones, whose lists have no backend. */
  readonly passed: readonly string[];
}

/** An option, header field or weight that counts. `from`: the key that has it, or `configuration`. */
export interface OptionView {
  readonly field: string;
  readonly value: string;
  readonly from: string;
}

/** The metadata of the lists that were looked up. */
export interface MetadataView {
  readonly key: string;
  readonly type: string;
  readonly faults: readonly Fault[];
}

/** What active checks have shown of a backend. */
export interface CheckView {
  readonly url: string;
  readonly state: 'new' | 'up' | 'down';
  /** It gets no traffic before its first good check, unless no other backend lives. */
  readonly waits: boolean;
  /** Of the last check; null before the first. */
  readonly passed: boolean | null;
  readonly detail: string | null;
  readonly secondsAgo: number | null;
  /** The router that made it. */
  readonly router: string | null;
}

/** The response that a client gets. */
export type AnswerView =
  | { readonly kind: 'backend'; readonly status: null; readonly code: null; readonly text: string }
  /** The request is held. */
  | { readonly kind: 'paused'; readonly status: null; readonly code: null; readonly text: string }
  /** The client is redirected. */
  | { readonly kind: 'redirect'; readonly status: number; readonly code: null; readonly text: string }
  /** `code`: one of the router's error codes; null for another response. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string | null; readonly text: string };

/** Where a request goes, and why. */
export interface Explanation {
  readonly asked: string;
  /** The host as looked up; null when it is not a host. */
  readonly host: string | null;
  readonly path: string;
  readonly answer: AnswerView;
  readonly keys: readonly KeyView[];
  readonly route: FrontendView | null;
  /** Null when no key of the host has prefixes. */
  readonly prefix: PrefixView | null;
  /** The options of the route, from all layers. */
  readonly options: readonly OptionView[];
  /** The path that the backend gets, without that of its URL; null when no backend gets the request. */
  readonly asks: string | null;
  /** Prefixes, options, header fields, weights, checks and error pages of the keys above, if there are any. */
  readonly beside: readonly MetadataView[];
  /** Backends of the route that are checked, as of their last checks. */
  readonly checks: readonly CheckView[];
  readonly dead: DeadView | null;
  /** Null when there is no valid host, the router responds itself, or the store cannot be read. */
  readonly certificate: CertificateView | null;
  readonly near: readonly { readonly key: string; readonly faults: readonly Fault[] }[];
  readonly store: { readonly name: string; readonly hasHealthChecker: boolean; readonly faults: readonly Fault[] };
}

/** What a worker remembers of a host. */
export interface MemoryView {
  readonly pid: number;
  readonly generation: number;
  /** `fresh`: used without asking the store; `stale`: used only while the store does not reply. */
  readonly knows: 'fresh' | 'stale' | 'nothing';
  readonly ageSeconds: number | null;
  readonly key: string | null;
  readonly name: string | null;
  readonly backends: readonly string[];
  /** Ids, with those on trial. */
  readonly dead: readonly number[];
  readonly onTrial: readonly number[];
}

/** The workers' records of the backends of a frontend. */
export interface ActivityView {
  /** How many workers there are, without those that start. */
  readonly workers: number;
  /** How many of them replied in time. */
  readonly replied: number;
  /** In list order. Without entries that are no servers, and those behind the first 1,000. */
  readonly backends: readonly BackendActivity[];
}

/** What all workers together know of a backend. Entries of one server share it. */
export interface BackendActivity {
  readonly id: number;
  /** Requests, with WebSockets. */
  readonly inFlight: number;
  /** Requests that wait for a connection slot. */
  readonly waiting: number;
  /** Connections, with idle ones. */
  readonly open: number;
  readonly idle: number;
  /** Of the last 30 to 60 s. A failed attempt counts as a request. */
  readonly requestsPerSecond: number;
  /** Failed attempts, responses of 500 and above, and responses that were broken off. */
  readonly errorsPerSecond: number;
  /** Until the head of the response, in seconds; null without a response in that time. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** Since the workers began. */
  readonly responses: Readonly<Record<'1xx' | '2xx' | '3xx' | '4xx' | '5xx', number>>;
  /** The last ten, newest first. */
  readonly failures: readonly FailureView[];
}

/** An attempt that failed. */
export interface FailureView {
  /** ISO 8601. */
  readonly time: string;
  /** The type of the outcome, as in `hipache_retries_total`; `answered` for a response, `cut` for one broken off. */
  readonly type: string;
  readonly reason: string;
  /** The error's code, such as `ECONNREFUSED`, or the status of the response. */
  readonly code: string | null;
  /** The worker. */
  readonly pid: number;
}

/** The explanation of a running router. */
export interface LiveExplanation extends Explanation {
  readonly workers: readonly MemoryView[];
  /** Of the backends of `route`; null without one. */
  readonly activity: ActivityView | null;
}
