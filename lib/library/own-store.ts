import { TimeLimits, Timer } from '../clock/time-limits.ts';
import { WorkerShares } from '../cluster/master/shares.ts';
import { RouterError } from '../core/errors.ts';
import { type RouteList, readList, routeOf } from '../core/routing/backend.ts';
import { candidates } from '../core/routing/hostname.ts';
import { splitKey } from '../core/routing/prefixes.ts';
import type { Site } from '../core/routing/site.ts';
import type { Death, Route } from '../core/routing/types.ts';
import { layerOf, makeSite } from '../sites/site.ts';
import { NO_CERTIFICATE } from '../store/certificates.ts';
import { type DeadMark, DeadMarks, markOf } from '../store/dead-marks.ts';
import type { OpenedStore, StoreSettings } from '../store/drivers/open-store.ts';
import { pageFault } from '../store/pages.ts';
import { urlFault } from '../store/route-table.ts';
import type { Marking, Recollection, RouteStore } from '../store/store.ts';
import { isTexts } from '../store/texts.ts';
import type { Frontend, LookupStore } from './lookup-store.ts';

/** A frontend that was parsed. */
interface Parsed {
  readonly list: RouteList;
  readonly site: Site;
}

/** Opens a store of one's own. It has no certificates and no active checks. */
export function openOwnStore(source: LookupStore, settings: StoreSettings): OpenedStore {
  const shares = new WorkerShares(() => performance.now());
  return {
    store: new OwnStore(source, settings),
    certificates: { nameOf: (key) => key, find: async () => NO_CERTIFICATE, mustAsk: () => false, forget: () => {} },
    file: null,
    stickySecret: null,
    checks: {
      turn: async () => ({ outcomes: [], due: [], lists: 0, isPaused: false, off: 'this store has no checks' }),
      close: () => {},
    },
    shares: {
      exchange: async (demands) => shares.exchange('only', demands),
      lease: async (needs) => shares.lease('only', needs),
    },
    heartbeats: null,
  };
}

/** The routes of a LookupStore. Dead marks are in memory, and end without a trial. */
class OwnStore implements RouteStore {
  readonly hasHealthChecker = false;
  readonly trials = { take: async () => Infinity, pass: async () => {} };
  readonly remembered = { hosts: 0, bytes: 0 };
  readonly hasLastKnown = false;
  readonly #source: LookupStore;
  readonly #settings: StoreSettings;
  readonly #marks = new DeadMarks(Date.now, false);
  readonly #clock = new TimeLimits();
  readonly #parsed = new WeakMap<Frontend, Parsed>();
  #isClosed = false;

  constructor(source: LookupStore, settings: StoreSettings) {
    this.#source = source;
    this.#settings = settings;
  }

  async find(keys: readonly string[], path: string): Promise<Route | null> {
    if (this.#isClosed) throw new RouterError('store-unavailable', 'the store is closed');
    const { counts } = this.#settings;
    const began = performance.now();
    try {
      const found = await this.#inTime(() => this.#source.find(keys, path));
      counts.answered(performance.now() - began, 1);
      return this.#routeOf(found, keys[0] ?? '');
    } catch (error) {
      counts.errors++;
      throw error;
    }
  }

  peek(host: string, path: string): Route | null | undefined {
    if (this.#isClosed || this.#source.peek === undefined) return undefined;
    const found = this.#source.peek(candidates(host), path);
    try {
      return found === undefined ? undefined : this.#routeOf(found, host);
    } catch {
      // `find` reports it.
      return undefined;
    }
  }

  async page(keys: readonly string[], status: number): Promise<string | null> {
    if (this.#isClosed) return null;
    const page = await this.#inTime(async () => (await this.#source.page?.(keys, status)) ?? null);
    return page !== null && pageFault(String(status), page) === null ? page : null;
  }

  recollect(host: string, path: string): Recollection | null {
    const route = this.peek(host, path);
    return route === undefined ? null : { route, isFresh: true, ageMs: 0 };
  }

  forget(): number {
    return 0;
  }

  ownMarks(frontend: string | null): readonly DeadMark[] {
    return this.#marks.list(frontend);
  }

  async markDead(death: Death, ttlSeconds: number): Promise<Marking> {
    const mark = markOf(death, ttlSeconds, Date.now());
    return this.#marks.addUnlessLast(mark, death.route.backends, () => false) ? 'marked' : 'last';
  }

  async ready(): Promise<void> {}

  /** The router closes the source. */
  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #routeOf(found: Frontend | null, host: string): Route | null {
    if (found === null) return null;
    let parsed = this.#parsed.get(found);
    if (parsed === undefined) {
      parsed = this.#parse(found);
      this.#parsed.set(found, parsed);
    }
    const { list, site } = parsed;
    const frontend = host + splitKey(found.key).prefix;
    return routeOf(frontend, found.key, list, this.#marks.among(list.backends, frontend, list.size), site);
  }

  #parse({ key, list, options, headers, weights }: Frontend): Parsed {
    if (!isTexts(list) || list.length === 0) throw new RouterError('route-broken', `${key} is not a list of texts`);
    const { notify, features, options: config } = this.#settings;
    const layer = layerOf(
      { options: fieldsOf(options), headers: fieldsOf(headers), weights: fieldsOf(weights) },
      features,
    );
    return {
      list: readList(list, (href, fault) => notify({ type: 'route-fault', key, fault: urlFault(href, fault) })),
      // The fields of a frontend with a path are its own: it inherits none.
      site: makeSite(splitKey(key).prefix === '' ? { config, host: layer } : { config, prefix: layer }, features),
    };
  }

  /** Rejects with `store-unavailable` when the promise rejects, or takes longer than `server.storeTimeout`. */
  async #inTime<T>(work: () => Promise<T>): Promise<T> {
    const { timeoutMs } = this.#settings;
    let timer: Timer | null = null;
    const late = new Promise<never>((_, reject) => {
      timer = new Timer(() => reject(new RouterError('store-unavailable', `no reply within ${timeoutMs / 1000} s`)));
      this.#clock.set(timer, timeoutMs);
    });
    try {
      return await Promise.race([work(), late]);
    } catch (error) {
      if (error instanceof RouterError) throw error;
      throw new RouterError('store-unavailable', 'the store has failed', { cause: error });
    } finally {
      if (timer !== null) this.#clock.clear(timer);
    }
  }
}

function fieldsOf(fields: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, string> | undefined {
  return fields && new Map(Object.entries(fields));
}
