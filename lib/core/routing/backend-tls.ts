/** How the certificates of TLS backends are verified. Types only. */
export interface BackendTls {
  /**
   * Whether a certificate must be valid for the backend's name. Otherwise any certificate is accepted, even an
   * attacker's.
   */
  readonly verify: boolean;
  /** Trusted authorities (PEM, one text per file); none means those that Node trusts. */
  readonly ca: readonly string[];
}
