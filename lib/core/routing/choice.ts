/** What a choice among backends sees, and who makes it. Types only. */
import type { Backend } from './backend-url.ts';

/** The properties of a request that rules use. Plain data, so that rules are tested without sockets. */
export interface RequestTraits {
  readonly method: string;
  /** The path and query as sent, never decoded. */
  readonly path: string;
  readonly clientIp: string;
  /** Whether the request has a body: part of it may have been sent and lost. */
  readonly hasBody: boolean;
  /** What its site hashes to choose a backend, if that is a field or a cookie: see `Trait`. Null without one. */
  readonly affinity: string | null;
  /** The values of its site's sticky cookie; empty without one. */
  readonly cookies: readonly string[];
}

/** One backend's load in this worker, over all frontends, for selections. Read it at once: it changes. */
export interface BackendLoad {
  /** Requests that hold a connection slot, and WebSockets. */
  readonly inFlight: number;
  /** Requests that wait for a connection slot. */
  readonly waiting: number;
  /** Connections, including idle ones and those being made. */
  readonly open: number;
  readonly idle: number;
  /** Average time from a request sent to the head of its response, ms; 0 before the first response. */
  readonly latencyMs: number;
  /** The latency with peaks, at `peakAt`: see core/balance/latency.ts. ms; 0 before the first response. */
  readonly peakMs: number;
  /** On the clock of `Balancing.now`. */
  readonly peakAt: number;
  /** This worker found it dead, and has had no normal response since. Independent of a route's dead marks. */
  readonly isDead: boolean;
}

/** Finds the load of a backend. Allocates nothing: it may be called for each candidate of each request. */
export type LoadOf = (backend: Backend) => BackendLoad;

/** Picks one of the living backends. `alive` is never empty; `random` returns [0, 1). No side effects. */
export type Selection = (
  alive: readonly Backend[],
  loadOf: LoadOf,
  traits: RequestTraits,
  random: () => number,
) => Backend;

/** What backends are chosen with. */
export interface Balancing {
  /** Chooses for sites that do not say how. */
  readonly select: Selection;
  readonly loadOf: LoadOf;
  /** Returns [0, 1). */
  readonly random: () => number;
  /** ms; only differences count. */
  readonly now: () => number;
  readonly turns: TurnKeeper;
  /** Where this router is: see core/balance/weights.ts. Null where that is not configured. */
  readonly zone: string | null;
  readonly sticky: StickyValues;
  readonly trials: TrialChoice;
  readonly outliers: RestingBackends;
  /**
   * Since when a backend lives, in this worker, on the clock of `now`. One that is not known yet lives from now on.
   * @param isDead it is marked dead: it will not live before now
   */
  readonly aliveSince: (backend: Backend, isDead: boolean, now: number) => number;
}

/** Whether a request is the trial of a backend that was marked dead: see core/health/trial.ts. */
export interface TrialChoice {
  /**
   * The backend on trial that this request may try; null for most. May ask for the right to a trial in the background.
   * @param among those that may get one
   */
  next(trials: DueTrials, among: readonly Backend[], traits: RequestTraits): Backend | null;
  /** An attempt at a backend on trial begins. */
  begun(frontend: string, backend: Backend): void;
  /** It has ended, and does not show whether the backend lives. */
  left(frontend: string, backend: Backend): void;
}

/** Which living backends are rested for a while: see core/health/outlier.ts. */
export interface RestingBackends {
  /** Those of the living ones that do not rest; all, where all rest. @param backends of the list */
  among(backends: readonly Backend[], alive: readonly Backend[]): readonly Backend[];
}

/** The trials of a route: see Route. */
export interface DueTrials {
  readonly frontend: string;
  readonly key: string;
  readonly onTrial: ReadonlyMap<number, number>;
}

/** The values of sticky cookies. */
export interface StickyValues {
  /** Whether there are values: the secret that they are made with is known. May ask for that in the background. */
  isReady(): boolean;
  /** Resolves when that is known, or when the store has not told it within its time limit. Never rejects. */
  ready(): Promise<void>;
  /** The value for a backend of the list with this key; null while it is not known. Cheap: values are remembered. */
  valueOf(backend: Backend, key: string): string | null;
}

/** The cookie by which a client comes back to its backend. */
export interface StickyRule {
  readonly name: string;
  /** How long the client keeps it; null: until the browser is closed. */
  readonly seconds: number | null;
}

/** Remembers whose turn it is in each list, in this worker. */
export interface TurnKeeper {
  /** The credit of each backend, by id. For a list that is new or forgotten it is `random`. Changed by its caller. */
  of(list: ChoiceList, random: () => number): Float64Array;
}

/** The part of a route that a choice depends on. */
export interface ChoiceList {
  readonly key: string;
  /** All backends of the list, dead ones included. */
  readonly backends: readonly Backend[];
  /** Ids of those that are marked dead. */
  readonly dead: ReadonlySet<number>;
}

/** A part of a request by which its client is recognised. Names of fields are in lower case. */
export interface Trait {
  readonly kind: 'header' | 'cookie';
  readonly name: string;
}

/** How a site chooses among its backends; core/balance makes it from what the site's fields say. */
export interface SiteBalance {
  /** How, for operators: the rest of "one of 3 living backends of 4, …". */
  readonly text: string;
  /** What becomes `RequestTraits.affinity`; null where the choice needs none. */
  readonly trait: Trait | null;
  /** The cookie that leads clients back, whose values become `RequestTraits.cookies`; null without. */
  readonly sticky: StickyRule | null;
  /** Those of `among` that get new clients, by weights and the router's zone. Empty only if `among` is. */
  readonly candidates: (among: readonly Backend[], list: ChoiceList, zone: string | null) => readonly Backend[];
  /** The one of `among` that the client returns to; null where it returns to none. */
  readonly held: (
    among: readonly Backend[],
    list: ChoiceList,
    traits: RequestTraits,
    balancing: Balancing,
  ) => Backend | null;
  /** Picks one of `among`, which is never empty. */
  readonly select: (
    among: readonly Backend[],
    list: ChoiceList,
    traits: RequestTraits,
    balancing: Balancing,
  ) => Backend;
}
