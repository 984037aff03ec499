import type { Backend } from '../core/routing/backend-url.ts';
import type { Permit } from '../core/routing/site.ts';
import type { InFlightLimit } from './in-flight-limit.ts';
import type { SiteInFlight } from './site-in-flight.ts';

/** Gives permits and takes them back. */
export interface PermitOwner {
  /** @returns false when none is free */
  take(site: SiteInFlight, limit: InFlightLimit, max: number): boolean;
  /** Whether none is free. */
  isFull(limit: InFlightLimit, max: number): boolean;
  release(site: SiteInFlight, limit: InFlightLimit): void;
}

/** The permits of one request. */
export class SitePermit implements Permit {
  readonly #owner: PermitOwner;
  readonly #site: SiteInFlight;
  #hasSite: boolean;
  #backend: InFlightLimit | null = null;
  #isReleased = false;

  /** @param hasSite it has a permit of the site */
  constructor(owner: PermitOwner, site: SiteInFlight, hasSite: boolean) {
    this.#owner = owner;
    this.#site = site;
    this.#hasSite = hasSite;
  }

  useBackend({ href }: Backend): boolean {
    this.#leaveBackend();
    const max = this.#site.rule.maxConnPerBackend;
    if (max === null || this.#isReleased) return true;
    const limit = this.#site.backend(href);
    if (!this.#owner.take(this.#site, limit, max)) return false;
    this.#backend = limit;
    return true;
  }

  fullAmong(backends: readonly Backend[]): ReadonlySet<number> {
    const max = this.#site.rule.maxConnPerBackend;
    const full = new Set<number>();
    if (max === null) return full;
    for (const { id, href } of backends) {
      const limit = this.#site.backends.get(href);
      if (limit !== undefined && this.#owner.isFull(limit, max)) full.add(id);
    }
    return full;
  }

  release(): void {
    this.#isReleased = true;
    this.#leaveBackend();
    if (!this.#hasSite) return;
    this.#hasSite = false;
    this.#owner.release(this.#site, this.#site.limit);
  }

  #leaveBackend(): void {
    const backend = this.#backend;
    this.#backend = null;
    if (backend !== null) this.#owner.release(this.#site, backend);
  }
}
