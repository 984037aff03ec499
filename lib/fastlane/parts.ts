/** What the fast lane is made of, and what it asks of others. Types only. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Peer } from '../core/forwarded.ts';
import type { Places } from '../core/places.ts';
import type { RequestHeaderPolicy } from '../core/request-headers.ts';
import type { TracedExchange } from '../core/spans.ts';
import type { Backend, ConnectionUse, Outcome, Prior, Route, Selection } from '../core/types.ts';
import type { Dialer } from '../dial/dialer.ts';
import type { RouteStore } from '../store/store.ts';
import type { OtherPool } from './pool.ts';

/** Times in ms, sizes in bytes; 0 is no limit. What they limit: see config/config.ts. */
export interface LaneLimits {
  readonly headerMs: number;
  readonly idleMs: number;
  readonly bodyMs: number;
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly responseMs: number;
  readonly headerBytes: number;
  readonly bodyBytes: number;
  /** Bytes per second. */
  readonly bodyMinRate: number;
}

export interface LaneParts {
  readonly store: Pick<RouteStore, 'find' | 'peek'>;
  readonly select: Selection;
  /** Returns [0, 1). */
  readonly random: () => number;
  /** ms; only differences count. */
  readonly now: () => number;
  readonly headerPolicy: RequestHeaderPolicy;
  readonly budget: { requestStarted(): void; requestEnded(): void };
  readonly places: Places;
  readonly otherPool: OtherPool;
  readonly maxSockets: number;
  readonly dialer: Pick<Dialer, 'dial'>;
  readonly use: ConnectionUse;
  /** Whether the paths of backends' URLs count. */
  readonly hasBackendPath: boolean;
  /** Whether connections to backends are kept for the next request. */
  readonly isKeeping: boolean;
  readonly limits: LaneLimits;
  /** Whether accepted sockets read into one buffer: see accepted-reads.ts. */
  readonly readsAccepted: () => boolean;
  /**
   * Told of an answer that may say that its backend is ill, and of all others while somebody is waited for; the answer is
   * passed on all the same. `begunAt`: as `now` says.
   */
  readonly judge: (route: Route, backend: Backend, outcome: Outcome, begunAt: number) => void;
  /** How many backends were dead and may have come back. */
  readonly recoveries: { readonly waiting: number };
  /** Told once of every exchange that ended in this lane, and its client's version; null when nobody wants to know. */
  readonly record: ((exchange: PassedExchange, version: string) => void) | null;
  /** Told once of every sampled one; null where the router takes no part in traces. */
  readonly trace: ((exchange: TracedExchange) => void) | null;
  /** Whether answers should ask clients to close their connection. */
  readonly isDraining: () => boolean;
  /** Whether connections are not to wait for a next request any more. */
  readonly isClosing: () => boolean;
}

/** An exchange that has ended in this lane. Times in ms. */
export interface PassedExchange {
  readonly clientIp: string;
  readonly method: string;
  readonly target: string;
  /** 0 when the client left before there was an answer. */
  readonly status: number;
  /** Of the answer's body. */
  readonly bytes: number;
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
  readonly host: string | null;
  /** Its URL. */
  readonly backend: string | null;
  readonly name: string | null;
  readonly totalMs: number;
  readonly backendMs: number | null;
}

/** The full lane, as a connection of this lane sees it. */
export interface FullLane {
  /** Takes a connection over for good. What was read of it has been put back. */
  adopt(socket: Socket): void;
  /** Answers the one request that comes by `stream`. `onEnded` is told when all of the answer was written to it. */
  serveOnce(stream: Duplex, peer: Peer, prior: Prior, onEnded: () => void): void;
  /** Tells a client that its request head took too long, and closes its connection. */
  timeOut(socket: Socket, peer: Peer): void;
}
