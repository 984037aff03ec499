import type { Peer } from '../core/forwarded.ts';
import type { Carrier } from './carrier.ts';

/**
 * What a connection inside of a session is for: requests; one tunnel; or one request that came by the wrong connection,
 * and is told so.
 */
export type Errand = 'plain' | 'tunnel' | 'misdirected';

/** What sessions are made with. Times in ms, 0 is no limit. */
export interface Http2Parts {
  /** Bytes that a request's fields may have, as RFC 9113 §6.5.2 counts them. */
  readonly headerBytes: number;
  /** For a client to begin with. */
  readonly headerMs: number;
  /** Without a stream. */
  readonly idleMs: number;
  /** ms; only differences count. */
  readonly now: () => number;
  /** Serves a connection inside of a session as any other. */
  readonly admit: (carrier: Carrier, peer: Peer, errand: Errand) => void;
}
