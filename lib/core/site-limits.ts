/** A site's own limits. Times in ms, sizes in bytes; 0: as the configuration has it. Types only. */
export interface SiteLimits {
  /** To connect to a backend, and for the wait for a connection slot. */
  readonly connectMs: number;
  /** From the end of the request to the backend's response. */
  readonly firstByteMs: number;
  /** Silence of either side within a response body. */
  readonly responseMs: number;
  /** Silence within a request body. */
  readonly bodyMs: number;
  /** Silence in both directions on an upgraded connection. */
  readonly tunnelMs: number;
  readonly bodyBytes: number;
  readonly headerBytes: number;
}
