import { RouterError } from '../../core/errors.ts';

/** How long the master may take, ms. It replies at once, unless it is about to exit. */
const LIMIT_MS = 5_000;
/** How many replies may be awaited. */
const MAX_AWAITED = 10_000;

interface Awaited<T> {
  readonly promise: Promise<T>;
  readonly settle: (reply: T) => void;
}

/** Replies that this worker awaits from the master: one for each name. */
export class MasterReplies<T> {
  readonly #awaited = new Map<string, Awaited<T>>();

  /**
   * Asks by `send`, unless a reply of this name is already awaited. Rejects with `store-unavailable` without a reply, and
   * when too many are awaited.
   */
  ask(name: string, send: () => void): Promise<T> {
    const known = this.#awaited.get(name);
    if (known !== undefined) return known.promise;
    if (this.#awaited.size >= MAX_AWAITED) {
      return Promise.reject(new RouterError('store-unavailable', 'too many replies of the master process are awaited'));
    }
    let parts: { resolve: (reply: T) => void; reject: (error: RouterError) => void } | undefined;
    const promise = new Promise<T>((resolve, reject) => {
      parts = { resolve, reject };
    });
    const timer = setTimeout(() => {
      this.#awaited.delete(name);
      parts?.reject(new RouterError('store-unavailable', 'the master process does not reply'));
    }, LIMIT_MS).unref();
    const settle = (reply: T): void => {
      clearTimeout(timer);
      this.#awaited.delete(name);
      parts?.resolve(reply);
    };
    this.#awaited.set(name, { promise, settle });
    send();
    return promise;
  }

  /** The master's reply. Does nothing if none of this name is awaited. */
  came(name: string, reply: T): void {
    this.#awaited.get(name)?.settle(reply);
  }
}
