/** A store of one's own: the routes of a router come from functions of the program that it is part of. */

/** A frontend, as a store of one's own returns it. It must not be changed later: the router parses each object once. */
export interface Frontend {
  /**
   * The key that was found: one of the keys that were looked up, and the prefix if it is for a part of the paths:
   * `www.x.io`, `*.x.io/api`.
   */
  readonly key: string;
  /** The identifier, then the URLs of backends, as in Redis and in a routes file. */
  readonly list: readonly string[];
  /** As in `options:<key>`, `headers:<key>` and `weights:<key>`. */
  readonly options?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly weights?: Readonly<Record<string, string>>;
}

/** A source of routes. */
export interface LookupStore {
  /**
   * The frontend of a request; null when there is none: the client gets 400. The router does not remember it, and asks for
   * every request. Return the same object while it is unchanged. When it rejects, or takes longer than `server.storeTimeout`,
   * the client gets 503.
   * @param keys the host and the wildcards that match it, the most specific first: `www.x.io`, `*.x.io`, `*.io`, `*`
   * @param path the path of the request with its query, as sent
   */
  find(keys: readonly string[], path: string): Promise<Frontend | null>;
  /**
   * The same without waiting; undefined when `find` has to be called. Must not throw. With it, the fast lane serves a request
   * at once.
   */
  peek?(keys: readonly string[], path: string): Frontend | null | undefined;
  /** The error page (HTML) of the first of these keys that has one for the status; null when none has. */
  page?(keys: readonly string[], status: number): Promise<string | null>;
  /** Called once, when the router has served its last request. */
  close?(): Promise<void>;
}
