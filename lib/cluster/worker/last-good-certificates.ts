import type { GoodPairs } from '../../server/certificates.ts';
import type { StoredPair } from '../../store/certificates.ts';
import type { LastGoodChange, ToMaster } from '../messages.ts';

/** How long a handshake waits for the master's reply, ms. */
const LIMIT_MS = 1_000;

/** The worker's side of `LastGoodCertificates`: has the keys, and requests a pair from the master when it is needed. */
export class LastGoodFromMaster implements GoodPairs {
  readonly #keys: Set<string>;
  readonly #say: (message: ToMaster) => void;
  /** Open requests, by key; each ends at the limit. */
  readonly #asked = new Map<string, Promise<StoredPair | null>>();
  readonly #settle = new Map<string, (pair: StoredPair | null) => void>();

  /** @param keys the keys that the master has a pair for */
  constructor(keys: readonly string[], say: (message: ToMaster) => void) {
    this.#keys = new Set(keys);
    this.#say = say;
  }

  recall(key: string): Promise<StoredPair | null> {
    if (!this.#keys.has(key)) return Promise.resolve(null);
    return this.#asked.get(key) ?? this.#ask(key);
  }

  keep(key: string, pair: StoredPair): void {
    this.#keys.add(key);
    this.#say({ type: 'good-pair', key, pair });
  }

  drop(key: string): void {
    if (this.#keys.delete(key)) this.#say({ type: 'no-pair', key });
  }

  /** The master reports a change of a key. */
  hear({ key, is }: LastGoodChange): void {
    if (is === 'new') this.#keys.add(key);
    else this.#keys.delete(key);
  }

  /** The reply to `want-pair`. */
  take(key: string, pair: StoredPair | null): void {
    this.#settle.get(key)?.(pair);
  }

  #ask(key: string): Promise<StoredPair | null> {
    const answer = new Promise<StoredPair | null>((resolve) => {
      const settle = (pair: StoredPair | null): void => {
        clearTimeout(timer);
        this.#settle.delete(key);
        this.#asked.delete(key);
        resolve(pair);
      };
      const timer = setTimeout(() => settle(null), LIMIT_MS);
      this.#settle.set(key, settle);
    });
    this.#asked.set(key, answer);
    this.#say({ type: 'want-pair', key });
    return answer;
  }
}
