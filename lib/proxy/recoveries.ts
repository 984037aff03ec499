import type { Backend } from '../core/types.ts';

/** Backends that are waited for at most; the frontend that has waited longest is forgotten first. */
const MAX_WAITING = 1_000;

interface Absence {
  readonly href: string;
  /** Of the first death since it was well. */
  readonly since: number;
  /** Of the last. */
  lastDeath: number;
}

/** Knows which backends this worker found dead and has not seen well since. Times in ms; only differences count. */
export class Recoveries {
  /** By frontend, and the backend's id. */
  readonly #absent = new Map<string, Map<number, Absence>>();
  /** How many are waited for. As long as it is 0 nobody needs to ask. */
  waiting = 0;

  died(frontend: string, { id, href }: Backend, now: number): void {
    const known = this.#absent.get(frontend) ?? new Map<number, Absence>();
    const absence = known.get(id);
    // Another backend may have taken its place in the list.
    if (absence?.href === href) {
      absence.lastDeath = now;
      return;
    }
    if (absence === undefined) this.waiting++;
    known.set(id, { href, since: now, lastDeath: now });
    this.#absent.set(frontend, known);
    if (this.waiting > MAX_WAITING) this.#forgetOldest();
  }

  /**
   * A backend has answered well.
   * @param begunAt when it was asked: what was asked before its death says nothing
   * @returns for how long it was dead; null when nobody has waited for it
   */
  returned(frontend: string, { id, href }: Backend, begunAt: number, now: number): number | null {
    const known = this.#absent.get(frontend);
    const absence = known?.get(id);
    if (known === undefined || absence === undefined || begunAt < absence.lastDeath) return null;
    this.#forget(frontend, known, id);
    return absence.href === href ? now - absence.since : null;
  }

  #forgetOldest(): void {
    for (const [frontend, known] of this.#absent) {
      for (const id of known.keys()) return this.#forget(frontend, known, id);
    }
  }

  #forget(frontend: string, known: Map<number, Absence>, id: number): void {
    known.delete(id);
    this.waiting--;
    if (known.size === 0) this.#absent.delete(frontend);
  }
}
