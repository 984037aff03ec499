/** What is recorded of an exchange that has ended, in either lane. Times in ms. */
export interface ExchangeRecord {
  readonly clientIp: string;
  readonly method: string;
  readonly target: string;
  /** 0 when the client left before there was a response. */
  readonly status: number;
  /** Of the response's body, as nginx's $body_bytes_sent. */
  readonly bytes: number;
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
  /** The host that the client asked for; null when that was no host. */
  readonly host: string | null;
  /** The URL of the backend that responded, or was tried last; null when none was. */
  readonly backend: string | null;
  /** The frontend's identifier; null when none was found. */
  readonly name: string | null;
  readonly totalMs: number;
  /** Null when no backend was tried. */
  readonly backendMs: number | null;
}
