import { FairRoom } from '../core/limits/fair-room.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import type { Backend, Route } from '../core/routing/types.ts';
import type { BackendState } from './state/backend-state.ts';
import type { BackendStates } from './state/backend-states.ts';

/** Maximum number of dead backends watched. Past it the oldest one of the site with the most is dropped. */
const MAX_WAITING = 1_000;

interface Absence {
  readonly state: BackendState;
  readonly href: string;
  /** Time of the first death since the backend's last good response. */
  readonly since: number;
  /** Time of the last death. */
  lastDeath: number;
}

/**
 * Watches the backends that this worker found dead, until one responds normally. Times in ms; only differences count.
 */
export class RecoveryWatch {
  readonly #states: Pick<BackendStates, 'of'>;
  /** By frontend and the backend's id. */
  readonly #absences = new Map<string, Absence>();
  readonly #room = new FairRoom(MAX_WAITING);

  constructor(states: Pick<BackendStates, 'of'>) {
    this.#states = states;
  }

  /** Number of backends watched. While it is 0, `returned` need not be called. */
  get waiting(): number {
    return this.#absences.size;
  }

  /** @param key of its list */
  died({ frontend, key }: Pick<Route, 'frontend' | 'key'>, backend: Backend, now: number): void {
    const { id, href } = backend;
    const name = nameOf(frontend, id);
    const absence = this.#absences.get(name);
    if (absence?.href === href) {
      absence.lastDeath = now;
      return;
    }
    // Another backend now has this id in the list.
    if (absence !== undefined) this.#forget(name, absence);
    const state = this.#states.of(backend);
    state.deaths++;
    this.#absences.set(name, { state, href, since: now, lastDeath: now });
    const gone = this.#room.enter(name, siteOf(key));
    const forgotten = gone === null ? undefined : this.#absences.get(gone);
    if (gone !== null && forgotten !== undefined) this.#forget(gone, forgotten);
  }

  /**
   * A backend has responded normally.
   * @param begunAt when the request was sent: one sent before the death shows nothing
   * @returns for how long the backend was dead; null when it was not watched
   */
  returned(frontend: string, { id, href }: Backend, begunAt: number, now: number): number | null {
    const name = nameOf(frontend, id);
    const absence = this.#absences.get(name);
    if (absence === undefined || begunAt < absence.lastDeath) return null;
    this.#forget(name, absence);
    return absence.href === href ? now - absence.since : null;
  }

  #forget(name: string, absence: Absence): void {
    this.#room.leave(name);
    this.#absences.delete(name);
    absence.state.deaths--;
  }
}

function nameOf(frontend: string, id: number): string {
  return `${id} ${frontend}`;
}
