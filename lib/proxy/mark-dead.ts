import type { Ejection } from '../backends/outliers.ts';
import { Quiet } from '../core/limits/quiet.ts';
import type { Death } from '../core/routing/types.ts';
import type { HealthMarks } from '../store/store.ts';

/** An event about a backend's death, for the log. */
export type DeathEvent =
  | { readonly type: 'backend-dead'; readonly death: Death; readonly ttlSeconds: number; readonly why: string }
  /** The backend failed and is not marked: it is the last living one of its site. */
  | { readonly type: 'last-backend'; readonly death: Death; readonly why: string }
  /** The backend fails far more often than its siblings: this worker rests it. */
  | ({ readonly type: 'backend-rested' } & Ejection)
  | { readonly type: 'death-unfiled'; readonly death: Death; readonly cause: unknown }
  /** The backend responds normally again. */
  | { readonly type: 'backend-alive'; readonly death: Death; readonly deadSeconds: number };

/** The dependencies of Deaths. */
export interface DeathsParts {
  readonly store: Pick<HealthMarks, 'markDead'>;
  readonly ttlSeconds: number;
  /** ms; only differences count. */
  readonly now: () => number;
  readonly notify: (event: DeathEvent) => void;
  /**
   * Called when a backend is presumed dead, or was reported to a health checker. `at`: when it failed, on the scale
   * of `now`.
   */
  readonly onMarked: (death: Death, at: number) => void;
}

/** Minimum time between two log events about a site's failing last backend, ms. */
const QUIET_MS = 60_000;

/** Marks backends dead in the store, and reports the result to the log. */
export class Deaths {
  readonly #parts: DeathsParts;
  /** Marks that the store has not confirmed yet: further failures meanwhile are ignored. */
  readonly #pending = new Set<string>();
  /** A last living backend still gets requests, and may fail with each of them. */
  readonly #lastBackends = new Quiet(QUIET_MS);

  constructor(parts: DeathsParts) {
    this.#parts = parts;
  }

  /** Never rejects. Requests do not wait for it. @param why for the log */
  async markDead(death: Death, why: string): Promise<void> {
    const name = `${death.backend.id} ${death.route.frontend}`;
    if (this.#pending.has(name)) return;
    this.#pending.add(name);
    await this.#mark(death, why, name);
    this.#pending.delete(name);
  }

  async #mark(death: Death, why: string, name: string): Promise<void> {
    const { store, ttlSeconds, now, notify, onMarked } = this.#parts;
    const at = now();
    try {
      const marking = await store.markDead(death, ttlSeconds);
      if (marking === 'last' && this.#lastBackends.isDue(name, now())) notify({ type: 'last-backend', death, why });
      if (marking === 'last' || marking === 'moved') return;
      notify({ type: 'backend-dead', death, ttlSeconds, why });
    } catch (cause) {
      notify({ type: 'backend-dead', death, ttlSeconds, why });
      notify({ type: 'death-unfiled', death, cause });
    }
    onMarked(death, at);
  }
}
