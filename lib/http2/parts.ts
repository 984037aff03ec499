import type { Peer } from '../core/http/forwarded.ts';
import type { Http1StreamAdapter } from './http1-stream-adapter.ts';

/**
 * What a connection inside of a session is for: requests; one tunnel; or one request that came by the wrong connection,
 * and is told so.
 */
export type StreamKind = 'plain' | 'tunnel' | 'misdirected';

/** What Node has refused of a client's connection. */
export interface Http2Refusal {
  /**
   * Before there was a request, `http2-stream`: streams that were reset; `http2-session`: the whole connection.
   * `http2-response`: an answer that Node does not send, whose stream was reset.
   */
  readonly code: 'http2-stream' | 'http2-session' | 'http2-response';
  /** How many. */
  readonly count: number;
  readonly why: string;
}

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
  /** Told of what was refused. */
  readonly onRefused: (refusal: Http2Refusal, peer: Peer) => void;
  /** Serves a connection inside of a session as any other. */
  readonly admit: (adapter: Http1StreamAdapter, peer: Peer, kind: StreamKind) => void;
}
