/** The limits of an exchange that both lanes enforce. Times in ms, sizes in bytes; 0 is no limit. Types only. */
export interface ExchangeLimits {
  /** Silence within a request body. */
  readonly bodyMs: number;
  readonly connectMs: number;
  /** From the request's end to the first byte of the backend's response. */
  readonly firstByteMs: number;
  /** Silence of the backend within a response body. */
  readonly responseMs: number;
  /** Silence in both directions on an upgraded connection. */
  readonly tunnelMs: number;
  readonly bodyBytes: number;
  /** Size of a request's head as far as the site limits it: parsers enforce the configuration's limit. */
  readonly headerBytes: number;
  /** Bytes per second that a request body must keep up after its first seconds. */
  readonly bodyMinRate: number;
  /** For how long a client may read nothing of a response. */
  readonly readMs: number;
  /** Minimum rate at which a client must read, bytes per second, in the time in which it holds the response up. */
  readonly readMinRate: number;
}

/** The same without tunnels. */
export type RequestLimits = Omit<ExchangeLimits, 'tunnelMs'>;

/** The limits of the fast lane, which also reads heads and keeps connections alive. */
export interface FastLaneLimits extends RequestLimits {
  readonly headerMs: number;
  readonly idleMs: number;
  /** Size of a head that this lane parses. */
  readonly headerBytes: number;
}
