import type { Peer } from '../core/http/forwarded.ts';
import type { ReadAccepted } from '../http1/read-buffer.ts';
import type { FloodError } from './frames/floods.ts';
import type { Http1StreamAdapter } from './http1-stream-adapter.ts';

/**
 * The kind of a stream. `plain`: an ordinary request. `tunnel`: a WebSocket or CONNECT. `misdirected`: a request for a
 * host that the connection's certificate does not cover; it gets 421. `too-large`: one whose fields are too large, and
 * of which some are missing; it gets 431.
 */
export type StreamKind = 'plain' | 'tunnel' | 'misdirected' | 'too-large';

/** What was refused on a client's connection. */
export interface Http2Refusal {
  /**
   * `http2-stream`: streams that were reset: malformed, or one too many. `http2-session`: the connection, for frames
   * that break the protocol. `http2-settings-timeout`: the connection, whose client did not acknowledge the settings.
   * `http2-window-timeout`: streams whose client opened no window for the rest of a response. `http2-flood-…`: the
   * connection, for too many frames of a kind.
   */
  readonly code:
    | 'http2-stream'
    | 'http2-session'
    | 'http2-settings-timeout'
    | 'http2-window-timeout'
    | `http2-flood-${FloodError['kind']}`;
  /** How many streams or sessions. */
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
  /** How long a client may open no window for the rest of a response. */
  readonly windowMs: number;
  /** The current time, ms; only differences matter. */
  readonly now: () => number;
  /** Called for what was refused. */
  readonly onRefused: (refusal: Http2Refusal, peer: Peer) => void;
  /** Makes a client's socket read into the shared buffer, where this Node supports that. */
  readonly readAccepted: ReadAccepted;
  /** Serves an adapter like any other client connection. */
  readonly admit: (adapter: Http1StreamAdapter, peer: Peer, kind: StreamKind) => void;
}
