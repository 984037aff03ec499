import { RouterError } from '../core/errors.ts';
import { candidates, hostOf } from '../core/hostname.ts';
import { splitKey } from '../core/prefixes.ts';
import type { Route } from '../core/types.ts';
import type { RouteStore } from '../store/store.ts';
import { Alarm, type AlarmClock } from './alarms.ts';
import type { Exchange } from './exchange.ts';

/** The requests for one frontend. */
interface Held {
  /** What it matched when the first of them came. */
  readonly key: string;
  readonly waiting: Set<() => void>;
}

export interface PausesParts {
  readonly store: Pick<RouteStore, 'find'>;
  readonly clock: AlarmClock;
  /** Requests held at a time, of all frontends. */
  readonly max: number;
}

/** How often it is asked whether a pause is over, for each frontend and not for each request, ms. */
const LOOK_MS = 100;

/**
 * Requests for frontends whose state is `paused`: they wait until it is another, so that whoever moves a database need
 * not answer anybody "try again". Their bodies stay with their clients.
 */
export class Pauses {
  readonly #parts: PausesParts;
  readonly #held = new Map<string, Held>();
  #count = 0;
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;

  constructor(parts: PausesParts) {
    this.#parts = parts;
  }

  /** How many wait. */
  get size(): number {
    return this.#count;
  }

  /**
   * Resolves when the pause is over, as far as is known, or the client has left.
   * @param limitMs for how long at most
   * @throws RouterError `paused` when that was too long, or too many wait already
   */
  hold(exchange: Exchange, { frontend, key }: Route, limitMs: number): Promise<void> {
    if (limitMs <= 0) return Promise.reject(new RouterError('paused', 'the site was paused for too long'));
    if (this.#count >= this.#parts.max) {
      return Promise.reject(new RouterError('paused', 'the site is paused, and too many requests wait already'));
    }
    const held = this.#held.get(frontend) ?? { key, waiting: new Set() };
    const { waiting } = held;
    this.#held.set(frontend, held);
    this.#timer ??= setInterval(() => void this.#look(), LOOK_MS).unref();
    this.#count++;
    return new Promise((resolve, reject) => {
      const leave = (settle: () => void): void => {
        if (!waiting.delete(go)) return;
        this.#count--;
        this.#parts.clock.clear(alarm);
        exchange.onInterrupt = null;
        if (waiting.size === 0) this.#forget(frontend, held);
        settle();
      };
      const go = (): void => leave(resolve);
      const alarm = new Alarm(() => {
        leave(() => reject(new RouterError('paused', 'the site was paused for too long')));
      });
      waiting.add(go);
      this.#parts.clock.set(alarm, limitMs);
      exchange.onInterrupt = go;
      // An upgrade's socket may go without an interruption.
      void exchange.ended.then(go);
    });
  }

  #forget(frontend: string, held: Held): void {
    if (this.#held.get(frontend) === held) this.#held.delete(frontend);
    if (this.#held.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    await Promise.all(Array.from(this.#held, ([frontend, held]) => this.#lookAt(frontend, held)));
    this.#isLooking = false;
  }

  async #lookAt(frontend: string, { key, waiting }: Held): Promise<void> {
    const { host, prefix } = splitKey(frontend);
    const keys = candidates(hostOf(host) ?? host);
    try {
      const found = await this.#parts.store.find(keys, prefix === '' ? '/' : prefix);
      if (found === null || found.size === 0 || found.options.state === 'paused') return;
      // Who moves a site may take its list away for a moment: what a wildcard has then is not its new place.
      if (keys.indexOf(splitKey(found.key).host) > keys.indexOf(splitKey(key).host)) return;
    } catch {
      // Nobody knows: they go on waiting.
      return;
    }
    // Each leaves the set that is gone over.
    for (const go of waiting) go();
  }
}
