import { createHmac } from 'node:crypto';
import type { Backend } from '../../core/routing/backend-url.ts';
import type { StickyValues } from '../../core/routing/choice.ts';
import { SECRETS } from '../../store/redis/secrets.ts';

const NO_SECRET =
  'Redis does not give the secret of sticky cookies, so each router has its own (see "Rights" in docs/redis.md)';

/** After so long the store is asked again, ms: it may have lost the secret, or have got another one. */
const REFRESH_MS = 60_000;
/** After a store that did not reply, ms. */
const RETRY_MS = 1_000;
/** Bytes of a value: too many to guess. */
const BYTES = 16;

/** Where the secret comes from. */
export interface SecretSource {
  /** The one that counts where the store has none. */
  readonly own: string;
  /**
   * Returns the secret that all routers share, and makes it if there is none; null when the store refuses. Rejects when it
   * does not reply. Null where the own one counts: with a routes file, or when it is configured.
   */
  readonly shared: ((own: string) => Promise<string | null>) | null;
}

/**
 * The values of sticky cookies: for each site and backend a code that only routers with the secret can make (HMAC-SHA256,
 * truncated to 128 bits). It names no address, and means nothing for another site or backend.
 */
export class StickySecret implements StickyValues {
  readonly #source: SecretSource;
  readonly #now: () => number;
  readonly #onFault: (key: string, fault: string) => void;
  #secret: string | null;
  /** By backend; a backend belongs to one list. */
  #values = new WeakMap<Backend, { readonly key: string; readonly value: string }>();
  #asking: Promise<void> | null = null;
  #nextAt = -Infinity;

  /** @param now ms; only differences count @param onFault called when the store refuses */
  constructor(source: SecretSource, now: () => number, onFault: (key: string, fault: string) => void) {
    this.#source = source;
    this.#now = now;
    this.#onFault = onFault;
    this.#secret = source.shared === null ? source.own : null;
  }

  isReady(): boolean {
    if (this.#source.shared !== null && this.#now() >= this.#nextAt) void this.ready();
    return this.#secret !== null;
  }

  ready(): Promise<void> {
    const { shared } = this.#source;
    if (shared === null || this.#now() < this.#nextAt) return Promise.resolve();
    this.#asking ??= this.#ask(shared).finally(() => (this.#asking = null));
    return this.#asking;
  }

  valueOf(backend: Backend, key: string): string | null {
    if (this.#secret === null) return null;
    const known = this.#values.get(backend);
    if (known?.key === key) return known.value;
    const digest = createHmac('sha256', this.#secret).update(`${key}\n${backend.href}`).digest();
    const value = digest.subarray(0, BYTES).toString('base64url');
    this.#values.set(backend, { key, value });
    return value;
  }

  async #ask(shared: (own: string) => Promise<string | null>): Promise<void> {
    const { own } = this.#source;
    try {
      const told = await shared(this.#secret ?? own);
      if (told === null) this.#onFault(SECRETS, NO_SECRET);
      const secret = told ?? this.#secret ?? own;
      if (secret !== this.#secret) this.#values = new WeakMap();
      this.#secret = secret;
      this.#nextAt = this.#now() + REFRESH_MS;
    } catch {
      // Meanwhile clients with a cookie keep it, and others get none.
      this.#nextAt = this.#now() + RETRY_MS;
    }
  }
}
