import { trialWaitMs } from '../core/health/trial.ts';
import { FairRoom } from '../core/limits/fair-room.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import type { DueTrials, TrialChoice } from '../core/routing/choice.ts';
import type { Backend, RequestTraits } from '../core/routing/types.ts';
import type { TrialMarks } from '../store/store.ts';

/** How many backends on trial a worker has a state of. Beyond it the oldest one of the site with the most is dropped. */
const MAX_CLAIMS = 1_000;
/** For how long a worker has the right to a trial while it waits for a suitable request, ms. */
const HOLD_MS = 10_000;
/** After a store that did not reply, ms. */
const RETRY_MS = 1_000;
/** The right outlasts the attempt by so much, ms. */
const MARGIN_MS = 5_000;

/**
 * `free`: no worker is known to have the right. `asking`: the store is asked for it. `mine`: this worker has it, until
 * `until`. `trying`: a request uses it. `others`: another worker has it, until `until` at most.
 */
type Phase = 'free' | 'asking' | 'mine' | 'trying' | 'others';

interface Claim {
  readonly href: string;
  phase: Phase;
  until: number;
}

/** The dependencies of Trials. */
export interface TrialsParts {
  readonly marks: TrialMarks;
  /** How long an attempt may take until its response begins, ms. */
  readonly attemptMs: number;
  /** ms, on the clock of `Route.onTrial`. */
  readonly now: () => number;
}

/**
 * Gives one request of all routers to a backend whose time as a dead one is over. The right to that is in the store; it is
 * asked for in the background, so that no request waits for it.
 */
export class Trials implements TrialChoice {
  readonly #parts: TrialsParts;
  /** By frontend and the backend's id. */
  readonly #claims = new Map<string, Claim>();
  readonly #room = new FairRoom(MAX_CLAIMS);
  /** Those whose record is being removed. */
  readonly #passing = new Set<string>();

  constructor(parts: TrialsParts) {
    this.#parts = parts;
  }

  next({ frontend, key, onTrial }: DueTrials, among: readonly Backend[], traits: RequestTraits): Backend | null {
    const now = this.#parts.now();
    const waitMs = trialWaitMs(traits);
    for (const backend of among) {
      if (now - (onTrial.get(backend.id) ?? now) < waitMs) continue;
      const claim = this.#claimOf(frontend, key, backend);
      if (claim.phase !== 'asking' && now >= claim.until) claim.phase = 'free';
      if (claim.phase === 'mine') return backend;
      if (claim.phase === 'free') this.#ask(frontend, backend, claim);
    }
    return null;
  }

  begun(frontend: string, backend: Backend): void {
    const claim = this.#known(frontend, backend);
    if (claim?.phase !== 'mine') return;
    const { marks, attemptMs, now } = this.#parts;
    const ms = attemptMs + MARGIN_MS;
    claim.phase = 'trying';
    claim.until = now() + ms;
    // If that fails, another worker may try at the same time.
    marks.take(frontend, backend, ms).catch(() => {});
  }

  left(frontend: string, backend: Backend): void {
    const claim = this.#known(frontend, backend);
    if (claim?.phase === 'trying') claim.phase = 'mine';
  }

  /** A backend on trial has responded: it lives again, for all routers. */
  passed(frontend: string, backend: Backend): void {
    const name = nameOf(frontend, backend);
    this.#forget(name);
    if (this.#passing.has(name)) return;
    this.#passing.add(name);
    // If that fails, another request tries it.
    void this.#parts.marks
      .pass(frontend, backend)
      .catch(() => {})
      .finally(() => this.#passing.delete(name));
  }

  /** A backend on trial has failed: it is marked dead again. */
  failed(frontend: string, backend: Backend): void {
    this.#forget(nameOf(frontend, backend));
  }

  #ask(frontend: string, backend: Backend, claim: Claim): void {
    const { marks, now } = this.#parts;
    claim.phase = 'asking';
    marks.take(frontend, backend, HOLD_MS).then(
      (waitMs) => {
        claim.phase = waitMs === 0 ? 'mine' : 'others';
        claim.until = now() + (waitMs === 0 ? HOLD_MS : waitMs);
      },
      () => {
        claim.phase = 'others';
        claim.until = now() + RETRY_MS;
      },
    );
  }

  #known(frontend: string, backend: Backend): Claim | null {
    const claim = this.#claims.get(nameOf(frontend, backend));
    return claim?.href === backend.href ? claim : null;
  }

  #claimOf(frontend: string, key: string, backend: Backend): Claim {
    const known = this.#known(frontend, backend);
    if (known !== null) return known;
    const name = nameOf(frontend, backend);
    const claim: Claim = { href: backend.href, phase: 'free', until: 0 };
    this.#claims.set(name, claim);
    const gone = this.#room.enter(name, siteOf(key));
    if (gone !== null) this.#claims.delete(gone);
    return claim;
  }

  #forget(name: string): void {
    if (this.#claims.delete(name)) this.#room.leave(name);
  }
}

function nameOf(frontend: string, { id }: Backend): string {
  return `${id} ${frontend}`;
}
