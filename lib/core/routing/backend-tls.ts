/** How backends prove who they are, where they are spoken to over TLS. Types only. */
export interface BackendTls {
  /** Whether a certificate must be valid for the backend's name. Otherwise any will do, and so will anybody. */
  readonly verify: boolean;
  /** Whom to believe (PEM, one text a file); with none, whom Node believes. */
  readonly ca: readonly string[];
}
