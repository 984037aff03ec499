/** What a choice among backends sees. Types only: this file compiles to nothing. */
import type { Backend } from './backend-url.ts';

/** The properties of a request that rules use. Plain data, so that rules are tested without sockets. */
export interface RequestTraits {
  readonly method: string;
  /** The path and query as sent, never decoded. */
  readonly path: string;
  readonly clientIp: string;
  /** Whether the request has a body: part of it may have been sent and lost. */
  readonly hasBody: boolean;
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

/** How backends are chosen. */
export interface Balancing {
  readonly select: Selection;
  readonly loadOf: LoadOf;
  /** Returns [0, 1). */
  readonly random: () => number;
}
