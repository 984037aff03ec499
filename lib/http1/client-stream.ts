import type { Duplex } from 'node:stream';

/**
 * A client's HTTP/1.1 connection as the lanes see it: a TCP or TLS socket, the adapter of an HTTP/2 stream
 * (`http2/http1-stream-adapter.ts`), or one exchange that the fast lane hands off (`fastlane/handoff-stream.ts`).
 * Sockets have more members; what needs one of those says so in its own type.
 */
export interface ClientStream extends Duplex {
  /** Bytes received so far; only sockets count them. */
  readonly bytesRead?: number;
  /** It calls back for each write when it needs its bytes no more, as sockets do: they may be in lent memory. */
  readonly mayBorrow?: boolean;
}
