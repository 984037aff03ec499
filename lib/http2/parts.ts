import type { Peer } from '../core/http/forwarded.ts';
import type { Http1StreamAdapter } from './http1-stream-adapter.ts';

/**
 * The kind of a stream. `plain`: an ordinary request. `tunnel`: a WebSocket or CONNECT. `misdirected`: a request for a
 * host that the connection's certificate does not cover; it gets 421.
 */
export type StreamKind = 'plain' | 'tunnel' | 'misdirected';

/** What node:http2 refused on a client's connection. */
export interface Http2Refusal {
  /**
   * `http2-stream`: streams that were reset before there was a request. `http2-session`: the whole connection.
   * `http2-response`: a response that Node does not send; its stream was reset.
   */
  readonly code: 'http2-stream' | 'http2-session' | 'http2-response';
  /** How many streams, sessions or responses. */
  readonly count: number;
  readonly why: string;
}

/** What Sessions needs. Times in ms; 0 is no limit. */
export interface Http2Parts {
  /** The maximum size of a request's fields, as RFC 9113 §6.5.2 counts them. */
  readonly headerBytes: number;
  /** How long a client may take to send its first frame. */
  readonly headerMs: number;
  /** How long a session may have no stream. */
  readonly idleMs: number;
  /** The current time, ms; only differences matter. */
  readonly now: () => number;
  /** Called for what was refused. */
  readonly onRefused: (refusal: Http2Refusal, peer: Peer) => void;
  /** Serves an adapter like any other client connection. */
  readonly admit: (adapter: Http1StreamAdapter, peer: Peer, kind: StreamKind) => void;
}
