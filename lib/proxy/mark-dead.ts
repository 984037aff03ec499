import { Quiet } from '../core/limits/quiet.ts';
import type { Death } from '../core/routing/types.ts';
import type { HealthMarks } from '../store/store.ts';

/** What came of a death, for whoever keeps the log. */
export type DeathNotice =
  | { readonly type: 'backend-dead'; readonly death: Death; readonly ttlSeconds: number; readonly why: string }
  /** It failed, and is not hidden: no other backend of the site lives. */
  | { readonly type: 'last-backend'; readonly death: Death; readonly why: string }
  | { readonly type: 'death-unfiled'; readonly death: Death; readonly cause: unknown }
  /** It answers well again. */
  | { readonly type: 'backend-alive'; readonly death: Death; readonly deadSeconds: number };

/** What Deaths are made of. */
export interface DeathsParts {
  readonly store: Pick<HealthMarks, 'markDead'>;
  readonly ttlSeconds: number;
  /** ms; only differences count. */
  readonly now: () => number;
  readonly notify: (notice: DeathNotice) => void;
  /** Called when a backend is presumed dead, or a health checker was told. `at`: when it was found, as `now` says. */
  readonly onMarked: (death: Death, at: number) => void;
}

/** How often the log says that a site's last living backend fails, ms. */
const QUIET_MS = 60_000;

/** Has the store mark backends dead, and tells the operator what came of it. */
export class Deaths {
  readonly #parts: DeathsParts;
  /** Those that the store has been asked to mark, and has not: requests that fail meanwhile say the same. */
  readonly #pending = new Set<string>();
  /** A last living backend is served on, and may fail with every request. */
  readonly #lastBackends = new Quiet(QUIET_MS);

  constructor(parts: DeathsParts) {
    this.#parts = parts;
  }

  /** Never rejects, and no request waits for it. @param why for the operator */
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
