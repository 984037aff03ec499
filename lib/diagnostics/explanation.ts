/** What `explain` tells, as docs/admin.md has it. Types only. */
import type { Fault } from './fault.ts';

/** One backend of a frontend, as the list has it. */
export interface BackendView {
  readonly id: number;
  readonly url: string;
  readonly state: 'alive' | 'dead' | 'unusable';
  /** Of a dead mark; null without an end, and where there is none. */
  readonly secondsLeft: number | null;
  /** Why the router cannot use it; null when it can. */
  readonly fault: string | null;
}

export interface FrontendView {
  readonly key: string;
  readonly name: string;
  readonly backends: readonly BackendView[];
  readonly faults: readonly Fault[];
}

/** What came of a key that was, or would have been, asked for. */
export type Verdict =
  | 'used'
  | 'absent'
  | 'names no backend'
  | 'unusable'
  | 'not reached'
  /** The store gave no answer. */
  | 'not read'
  /** A list for a path that is not among the prefixes of its host. */
  | 'unlisted';

export interface KeyView {
  readonly key: string;
  readonly type: string;
  readonly holds: readonly string[];
  readonly secondsLeft: number | null;
  readonly verdict: Verdict;
  readonly faults: readonly Fault[];
}

export interface DeadView {
  readonly key: string;
  readonly type: string;
  readonly holds: readonly string[];
  readonly secondsLeft: number | null;
  readonly faults: readonly Fault[];
}

/** What stands where a handshake looks for a host's certificate. */
export interface CertificateKeyView {
  readonly key: string;
  readonly verdict: Exclude<Verdict, 'names no backend' | 'unlisted'>;
  /** Those that it is for, as it writes them. */
  readonly names: readonly string[];
  /** In ISO 8601; null where there is none that can be read. */
  readonly expiresAt: string | null;
  readonly faults: readonly Fault[];
}

/** Which certificate the handshake for a host gets, as far as the store decides that. */
export interface CertificateView {
  readonly text: string;
  readonly keys: readonly CertificateKeyView[];
}

/** The prefixes of a host, as far as the path has them. */
export interface PrefixView {
  /** Where they stand, as the store spells it. */
  readonly key: string;
  /** The one whose list counts; null where it is the host's own. */
  readonly matched: string | null;
  /** Longer ones, whose lists name no backend. */
  readonly passed: readonly string[];
}

/** An option that counts. `from`: the key where it stands, or `configuration`. */
export interface OptionView {
  readonly field: string;
  readonly value: string;
  readonly from: string;
}

/** What stands beside the lists that were looked at. */
export interface MetadataView {
  readonly key: string;
  readonly type: string;
  readonly faults: readonly Fault[];
}

/** What a client gets. */
export type AnswerView =
  | { readonly kind: 'backend'; readonly status: null; readonly code: null; readonly text: string }
  /** It is kept waiting. */
  | { readonly kind: 'paused'; readonly status: null; readonly code: null; readonly text: string }
  /** It is sent elsewhere. */
  | { readonly kind: 'redirect'; readonly status: number; readonly code: null; readonly text: string }
  /** `code`: one of the router's errors; null when it is none. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string | null; readonly text: string };

export interface Explanation {
  readonly asked: string;
  /** As it is looked up; null when it is no host. */
  readonly host: string | null;
  readonly path: string;
  readonly answer: AnswerView;
  readonly keys: readonly KeyView[];
  readonly route: FrontendView | null;
  /** Null where no key of the host has prefixes. */
  readonly prefix: PrefixView | null;
  /** Those of the route, whatever layer they come from. */
  readonly options: readonly OptionView[];
  /** The path that a backend is asked for, without that of its URL; null where none is. */
  readonly asks: string | null;
  /** Prefixes, options and error pages of the keys above, where there are any. */
  readonly beside: readonly MetadataView[];
  readonly dead: DeadView | null;
  /** Null where the host is none or the router's own, or the store cannot be looked at. */
  readonly certificate: CertificateView | null;
  readonly near: readonly { readonly key: string; readonly faults: readonly Fault[] }[];
  readonly store: { readonly name: string; readonly hasHealthChecker: boolean; readonly faults: readonly Fault[] };
}

/** What a worker remembers of a host. */
export interface MemoryView {
  readonly pid: number;
  readonly generation: number;
  /** `fresh`: it serves without asking; `stale`: only while the store gives no answer. */
  readonly knows: 'fresh' | 'stale' | 'nothing';
  readonly ageSeconds: number | null;
  readonly key: string | null;
  readonly name: string | null;
  readonly backends: readonly string[];
  readonly dead: readonly number[];
}

/** What a router that runs tells. */
export interface LiveExplanation extends Explanation {
  readonly workers: readonly MemoryView[];
}
