/** What of the URLs of backends counts: the same text is another backend by other settings. */
export interface UrlRules {
  /** Their paths do: `server.backendPath`. */
  readonly backendPath: boolean;
  /** Their https does not, as in Hipache: `server.legacyScheme`. */
  readonly legacyScheme: boolean;
}

/** Those of a configuration that says nothing of it. */
export const USUAL_URLS: UrlRules = Object.freeze({ backendPath: false, legacyScheme: false });
