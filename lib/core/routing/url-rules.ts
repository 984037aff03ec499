/** Which parts of backend URLs are used. With other settings the same text is another backend. */
export interface UrlRules {
  /** Paths are used: `server.backendPath`. */
  readonly backendPath: boolean;
  /** https is ignored, as in Hipache: `server.legacyScheme`. */
  readonly legacyScheme: boolean;
}

/** The defaults. */
export const USUAL_URLS: UrlRules = Object.freeze({ backendPath: false, legacyScheme: false });
