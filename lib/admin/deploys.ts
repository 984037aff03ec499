/** Deploys by the API: they run in this process, and each is asked for by its frontend. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CheckBackends } from '../deploys/check-backends.ts';
import { deploy } from '../deploys/deploy.ts';
import type { DeployOptions } from '../deploys/deploy-parts.ts';
import { deployOptions } from '../deploys/deploy-options.ts';
import { DeployFailure, type DeployStep, stepOf } from '../deploys/deploy-step.ts';
import { faultsOfNewList } from '../diagnostics/frontend.ts';
import { EditorError } from '../store/editor-error.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import type { Fleet } from '../store/fleet.ts';
import { isTexts } from '../store/texts.ts';
import type { DeployAnswer } from './answers.ts';
import { isForced, meantBy } from './edits.ts';
import { told } from './frontends.ts';
import { type Asked, json, Refusal, type Reply } from './reply.ts';
import type { Requests } from './requests.ts';

/** How many deploys are remembered. */
const MAX_DEPLOYS = 100;
const EXAMPLE = '{"backends": ["http://10.0.0.2:80"], "wait": 60, "drain": 30, "check": "/health", "rollbackOn": 5}';

/** The store, the fleet and the checks of the running configuration. */
export interface DeployStore {
  readonly editor: RouteEditor;
  readonly fleet: Fleet;
  readonly check: CheckBackends;
}

interface Known {
  step: DeployStep;
  readonly startedAt: number;
  endedAt: number | null;
  error: DeployAnswer['error'];
  readonly over: Promise<void>;
}

/** The deploys of this process, the last one of each frontend. */
export class Deploys {
  readonly #known = new Map<string, Known>();
  readonly #closing = new AbortController();
  readonly #onMistake: (error: unknown) => void;

  /** @param onMistake called for errors that are bugs */
  constructor(onMistake: (error: unknown) => void) {
    this.#onMistake = onMistake;
  }

  /** @returns the requests of one configuration */
  requests(store: DeployStore): Requests {
    return {
      'POST /api/v1/frontends/HOST/deploy': told((asked, host) =>
        this.#post(asked, meantBy(host, store.editor), store),
      ),
      'GET /api/v1/frontends/HOST/deploy': told((_asked, host) => this.#get(meantBy(host, store.editor))),
    };
  }

  /** Resolves when those that run now have ended: within the limits that were asked for. */
  async ended(): Promise<void> {
    await Promise.all(Array.from(this.#known.values(), ({ over }) => over));
  }

  /** Ends all where they are. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.ended();
  }

  #get(key: string): Reply {
    const known = this.#known.get(key);
    if (known === undefined) throw new Refusal(404, 'no-deploy', `${key} was not deployed by this router lately`);
    return json(answerOf(key, known));
  }

  async #post({ body, query }: Asked, key: string, store: DeployStore): Promise<Reply> {
    const options = optionsOf(key, await body());
    const faults = faultsOfNewList(key, ['name', ...options.urls], store.editor.advice);
    const errors = faults.filter(({ severity }) => severity === 'error');
    if (errors.length > 0 && !isForced(query)) {
      throw new Refusal(400, errors[0]?.code ?? 'bad-list', errors.map(({ text }) => text).join('; '));
    }
    const running = this.#known.get(key);
    if (running?.endedAt === null) throw new Refusal(409, 'busy', `${key} is being deployed already`);
    if (this.#known.size >= MAX_DEPLOYS) this.#forgetOne();
    this.#known.delete(key);
    const known = this.#start(options, store);
    this.#known.set(key, known);
    return json(answerOf(key, known), 202);
  }

  #start(options: DeployOptions, store: DeployStore): Known {
    const { signal } = this.#closing;
    const work = deploy(options, {
      ...store,
      onStep: (step) => {
        known.step = step;
      },
      now: () => performance.now(),
      pause: (ms) => delay(ms, undefined, { signal }).catch(() => {}),
      signal,
    });
    const known: Known = {
      step: stepOf('checking', 'reading the list', null),
      startedAt: Date.now(),
      endedAt: null,
      error: null,
      over: work
        .catch((error: unknown) => this.#failed(known, error))
        .then(() => {
          known.endedAt = Date.now();
        }),
    };
    return known;
  }

  #failed(known: Known, error: unknown): void {
    const isKnown = error instanceof DeployFailure || error instanceof EditorError;
    if (!isKnown) this.#onMistake(error);
    known.error = isKnown
      ? { code: error.code, message: error.message }
      : { code: 'mistake', message: 'a bug in the admin interface' };
    known.step = { ...known.step, phase: 'failed', text: known.error.message };
  }

  /** Forgets the oldest that has ended. @throws Refusal when all run */
  #forgetOne(): void {
    for (const [key, { endedAt }] of this.#known) {
      if (endedAt !== null) return void this.#known.delete(key);
    }
    throw new Refusal(409, 'busy', `${MAX_DEPLOYS} deploys are under way already`);
  }
}

function answerOf(key: string, { step, startedAt, endedAt, error }: Known): DeployAnswer {
  const times = { startedAt: iso(startedAt), endedAt: endedAt === null ? null : iso(endedAt) };
  return { key, ...step, ...times, error };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** @throws Refusal */
function optionsOf(key: string, body: unknown): DeployOptions {
  if (typeof body !== 'object' || body === null) throw badDeploy(`send ${EXAMPLE}`);
  const {
    backends,
    wait = null,
    drain = null,
    check = null,
    rollbackOn = null,
    ...more
  } = body as Readonly<Record<string, unknown>>;
  const [stranger] = Object.keys(more);
  if (stranger !== undefined) throw badDeploy(`unknown key ${JSON.stringify(stranger)}`);
  if (!isTexts(backends) || backends.length === 0) throw badDeploy(`send ${EXAMPLE}`);
  if (!isNumber(wait) || !isNumber(drain) || !isNumber(rollbackOn) || !(check === null || typeof check === 'string')) {
    throw badDeploy(`send ${EXAMPLE}`);
  }
  const options = deployOptions(key, backends, { wait, drain, check, rollbackOn });
  if (typeof options === 'string') throw badDeploy(options);
  return options;
}

function isNumber(value: unknown): value is number | null {
  return value === null || typeof value === 'number';
}

function badDeploy(text: string): Refusal {
  return new Refusal(400, 'bad-deploy', text);
}
