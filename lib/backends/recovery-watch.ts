import { FairRoom } from '../core/limits/fair-room.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import type { Backend, Route } from '../core/routing/types.ts';
import type { BackendState } from './state/backend-state.ts';
import type { BackendStates } from './state/backend-states.ts';

/** Backends that are waited for at most; the oldest of the site with the most is forgotten first. */
const MAX_WAITING = 1_000;

interface Absence {
  readonly state: BackendState;
  readonly href: string;
  /** Of the first death since it was well. */
  readonly since: number;
  /** Of the last. */
  lastDeath: number;
}

/** Remembers which backends this worker found dead and has not seen well since. Times in ms; only differences count. */
export class RecoveryWatch {
  readonly #states: Pick<BackendStates, 'of'>;
  /** By frontend and the backend's id. */
  readonly #absences = new Map<string, Absence>();
  readonly #room = new FairRoom(MAX_WAITING);

  constructor(states: Pick<BackendStates, 'of'>) {
    this.#states = states;
  }

  /** How many are waited for. As long as it is 0 nobody needs to ask. */
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
    // Another backend has taken its place in the list.
    if (absence !== undefined) this.#forget(name, absence);
    const state = this.#states.of(backend);
    state.deaths++;
    this.#absences.set(name, { state, href, since: now, lastDeath: now });
    const gone = this.#room.enter(name, siteOf(key));
    const forgotten = gone === null ? undefined : this.#absences.get(gone);
    if (gone !== null && forgotten !== undefined) this.#forget(gone, forgotten);
  }

  /**
   * A backend has answered well.
   * @param begunAt when it was asked: what was asked before its death says nothing
   * @returns for how long it was dead; null when nobody has waited for it
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
