/** Time limits in ms and sizes in bytes, as the full lane keeps them. 0 is no limit. */
export interface Limits {
  readonly bodyMs: number;
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly responseMs: number;
  readonly tunnelMs: number;
  readonly bodyBytes: number;
  /** Bytes per second that a request body must keep up after its first seconds. */
  readonly bodyMinRate: number;
}
