/** A deploy: new backends come into a frontend's list, old ones drain and leave it, in all routers. */
import { randomBytes } from 'node:crypto';
import type { SiteFields } from '../core/routing/site.ts';
import { EditorError } from '../store/editor-error.ts';
import { fieldsOf } from '../store/fields.ts';
import { type Announcement, MAX_WATCHED, usableIn } from '../store/fleet.ts';
import type { Checked } from './check-backends.ts';
import { DeployFailure, type DeployPhase, describe, named, stepOf } from './deploy-step.ts';
import type { DeployOptions, DeployParts } from './deploy-parts.ts';
import { type DeployPlan, planDeploy, withoutOld } from './plan.ts';
import { FleetProgress, LEAST_REQUESTS, type Progress } from './progress.ts';

/** Between two looks at the fleet, ms. */
const LOOK_MS = 250;
/** How long old backends must be idle, ms: longer than between two heartbeats of each worker. */
const IDLE_MS = 1_500;
/** How long to wait for the first reports, ms. */
const FIRST_MS = 4_000;
/** @throws DeployFailure; EditorError, `busy` while another deploy of this frontend is under way */
export async function deploy(options: DeployOptions, parts: DeployParts): Promise<void> {
  const { key } = options;
  const { list, weights } = await read(key, parts);
  const plan = planDeploy(list, weights, options.urls);
  await checkNew(plan, options, parts);
  const run = new Deploy(options, parts, plan, list);
  try {
    await run.begin();
    await run.join();
    await run.drain();
    await run.leave();
  } catch (error) {
    if (!(error instanceof DeployFailure) || !run.mayGoBack(error)) throw error;
    throw await run.goBack(error);
  } finally {
    // It expires, if Redis does not reply now.
    await parts.fleet.withdraw(key).catch(() => {});
  }
}

async function read(
  key: string,
  { editor }: DeployParts,
): Promise<{ readonly list: readonly string[]; readonly weights: SiteFields }> {
  const [{ lists }, [held]] = await Promise.all([editor.look([key], key), editor.sides('weights', [key])]);
  const [list] = lists;
  if (list?.type !== 'list' || list.holds.length === 0) {
    throw new DeployFailure('no-frontend', `there is no frontend ${key}; "hipache route set" creates one`);
  }
  return { list: list.holds, weights: fieldsOf(held?.type === 'hash' ? held.holds : []) };
}

async function checkNew({ added }: DeployPlan, { key, checkPath: path }: DeployOptions, parts: DeployParts) {
  if (added.length === 0) return;
  const { editor, check, onStep } = parts;
  onStep(stepOf('checking', `checking ${added.join(', ')}`, null));
  const [held] = await editor.sides('healthcheck', [key]);
  const fields = fieldsOf(held?.type === 'hash' ? held.holds : []);
  const failed = (await check(added, { key, fields, path })).filter(({ hasPassed }) => !hasPassed);
  if (failed.length === 0) return;
  const texts = failed.map(({ url, detail }: Checked) => `${url}: ${detail}`).join('; ');
  throw new DeployFailure('check-failed', `${texts}; nothing was changed`);
}

/** One deploy whose new backends have passed their checks. */
class Deploy {
  readonly #options: DeployOptions;
  readonly #parts: DeployParts;
  readonly #plan: DeployPlan;
  readonly #before: readonly string[];
  readonly #progress: FleetProgress;
  /** What was announced last. */
  #announced: Announcement;
  #hasJoined = false;
  #hasLeft = false;
  #isIdle = false;
  #said = '';

  constructor(options: DeployOptions, parts: DeployParts, plan: DeployPlan, before: readonly string[]) {
    this.#options = options;
    this.#parts = parts;
    this.#plan = plan;
    this.#before = before;
    this.#progress = new FleetProgress(options.key, plan.old, plan.added);
    this.#announced = this.#announcement([''], [], []);
  }

  /** Waits until all workers report. Nothing has changed yet. */
  async begin(): Promise<void> {
    const limitMs = Math.min(FIRST_MS, this.#options.waitMs);
    const last = await this.#watch('joining', limitMs, ({ isReported, routers }) => routers > 0 && isReported);
    if (last.routers > 0) return;
    const why =
      'no router sends heartbeats: is one running, of this version, with this store and the rights to "routers"?';
    throw new DeployFailure('no-routers', `${why} Nothing was changed`);
  }

  /** The new backends come into the list, the old ones get no new clients. */
  async join(): Promise<void> {
    const { key } = this.#options;
    const { added, draining, old } = this.#plan;
    this.#hasJoined = true;
    const joined = await this.#edit((list) => [...list, ...missingIn(list, added)]);
    if (draining.size > 0) await this.#parts.editor.changeFields('weights', key, usableFields(draining));
    this.#announced = this.#announcement(
      joined,
      usableIn(old).map(({ href }) => href),
      [],
    );
    await this.#acknowledged('joining');
  }

  /** Waits until the old backends are idle, in all routers. */
  async drain(): Promise<void> {
    const { drainMs, maxErrors } = this.#options;
    const isJudged = maxErrors !== null && this.#plan.added.length > 0;
    const { now } = this.#parts;
    let idleSince: number | null = null;
    const last = await this.#watch('draining', drainMs, (progress) => {
      const isIdle = progress.missing.length === 0 && [...progress.inFlight.values()].every((count) => count === 0);
      if (!isIdle) idleSince = null;
      else idleSince ??= now();
      this.#isIdle = idleSince !== null && now() - idleSince >= IDLE_MS;
      return this.#isIdle && (!isJudged || progress.requests >= LEAST_REQUESTS);
    });
    // A backend that fails is marked dead, and gets few requests.
    if (maxErrors !== null) throwIfFailing(last, maxErrors, 1);
  }

  /** The old backends leave the list. */
  async leave(): Promise<void> {
    const { key } = this.#options;
    const { cleared, old } = this.#plan;
    const left = await this.#edit((list) => leftIn(list, old));
    this.#hasLeft = true;
    if (cleared.size > 0) await this.#parts.editor.changeFields('weights', key, usableFields(cleared));
    this.#announced = this.#announcement(left, [], this.#isIdle ? [] : old);
    await this.#acknowledged('leaving');
    this.#parts.onStep(stepOf('done', `${key}: deployed`, null));
  }

  mayGoBack({ code }: DeployFailure): boolean {
    const isFailing = code === 'rolled-back' || code === 'not-acknowledged';
    return isFailing && this.#mayGoBack && this.#hasJoined && !this.#hasLeft;
  }

  /** Whether the operator wants the former list back when something fails. */
  get #mayGoBack(): boolean {
    return this.#options.maxErrors !== null;
  }

  /** The former list and weights come back. @returns the failure with what has followed from it */
  async goBack({ code, message }: DeployFailure): Promise<DeployFailure> {
    const { key } = this.#options;
    const { added, restored } = this.#plan;
    const former = await this.#edit((list) => leftIn(list, added));
    await this.#parts.editor.changeFields('weights', key, usableFields(restored));
    this.#announced = this.#announcement(former, [], []);
    const { waitMs } = this.#options;
    const { missing } = await this.#watch('returning', waitMs, (progress) => progress.missing.length === 0, null);
    const rest = missing.length === 0 ? 'all routers use it' : `not yet used: ${named(missing)}`;
    return new DeployFailure(code, `${message}; the former list and weights are back, ${rest}`);
  }

  /** @throws DeployFailure when not all workers use the announced list in time */
  async #acknowledged(phase: DeployPhase): Promise<void> {
    const { waitMs, key } = this.#options;
    const { missing } = await this.#watch(phase, waitMs, (progress) => progress.missing.length === 0);
    if (missing.length === 0) return;
    const left = 'the new list is in place, without the old backends';
    const joined = `old and new backends are in the list of ${key}, the old ones with weight 0: repeat the command`;
    const state = this.#hasLeft ? left : joined;
    const rest = this.#mayGoBack && !this.#hasLeft ? '' : `; ${state}`;
    const text = `not acknowledged within ${Math.round(waitMs / 1000)} s by ${named(missing)}${rest}`;
    throw new DeployFailure('not-acknowledged', text);
  }

  /**
   * Looks at the fleet until it is as it should be, or the time is up.
   * @param maxErrors with a larger share of errors it ends @throws DeployFailure
   */
  async #watch(
    phase: DeployPhase,
    limitMs: number,
    isDone: (progress: Progress) => boolean,
    maxErrors = this.#options.maxErrors,
  ): Promise<Progress> {
    const { now, pause, signal } = this.#parts;
    const until = now() + limitMs;
    for (;;) {
      const progress = await this.#look(now() < until);
      if (progress !== null) {
        this.#say(phase, progress);
        if (maxErrors !== null) throwIfFailing(progress, maxErrors, LEAST_REQUESTS);
        if (isDone(progress) || now() >= until) return progress;
      }
      if (signal.aborted) throw new DeployFailure('interrupted', `interrupted; ${this.#hasJoined ? HALF : UNCHANGED}`);
      await pause(LOOK_MS);
    }
  }

  /**
   * Repeats the announcement, which expires after some seconds, and reads the fleet.
   * @param mayFail null is returned when the store does not reply: a failover of Redis ends no deploy
   */
  async #look(mayFail: boolean): Promise<Progress | null> {
    const { fleet } = this.#parts;
    try {
      await fleet.announce(this.#announced);
      return this.#progress.take(await fleet.beats(), this.#announced.token);
    } catch (error) {
      if (mayFail && error instanceof EditorError && error.code === 'store-unavailable') return null;
      throw error;
    }
  }

  /** Changes the list in one step. @returns the new one */
  async #edit(edit: (list: readonly string[]) => readonly string[]): Promise<readonly string[]> {
    const { key } = this.#options;
    const { after } = await this.#parts.editor.change(key, (list) => {
      if (list.length === 0) throw new DeployFailure('no-frontend', `${key} was removed meanwhile`);
      return edit(list);
    });
    return after ?? this.#before;
  }

  #announcement(list: readonly string[], drained: readonly string[], cut: readonly string[]): Announcement {
    const { old, added } = this.#plan;
    return {
      key: this.#options.key,
      token: randomBytes(8).toString('hex'),
      list: usableIn(list.slice(1)).map(({ href }) => href),
      drained,
      watched: [...old, ...added].slice(0, MAX_WATCHED),
      cut,
    };
  }

  #say(phase: DeployPhase, progress: Progress): void {
    const text = describe(phase, progress);
    if (text === this.#said) return;
    this.#said = text;
    this.#parts.onStep(stepOf(phase, text, progress));
  }
}

const UNCHANGED = 'nothing was changed';
const HALF = 'old and new backends are in the list, the old ones with weight 0: repeat the command to go on';

/** @param least with fewer requests nothing is concluded */
function throwIfFailing({ requests, errors }: Progress, maxErrors: number, least: number): void {
  if (requests < least || errors <= maxErrors * requests) return;
  const share = `${errors} of ${requests} requests to the new backends failed`;
  throw new DeployFailure('rolled-back', `${share}, more than ${maxErrors * 100}%`);
}

/** A list without some backends. @throws DeployFailure when others have removed the rest meanwhile */
function leftIn(list: readonly string[], gone: readonly string[]): readonly string[] {
  const left = withoutOld(list, gone);
  if (left.length > 1) return left;
  throw new DeployFailure('interrupted', 'others have changed the list, and no backend would be left: it is as it was');
}

function missingIn(list: readonly string[], urls: readonly string[]): readonly string[] {
  const present = new Set(list.slice(1).map((entry) => entry.trim()));
  return urls.filter((url) => !present.has(url));
}

/** Without entries that no router can use: they get no requests, and can have no weight. */
function usableFields(changes: ReadonlyMap<string, string | null>): ReadonlyMap<string, string | null> {
  return new Map([...changes].filter(([url, text]) => text === null || usableIn([url]).length > 0));
}
