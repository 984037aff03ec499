/** What a running router reports of itself: metrics, and where a request goes. */
import { explainHere } from '../admin/explanations.ts';
import { withOwnMarks } from '../admin/marked-editor.ts';
import type { MasterState } from '../admin/messages.ts';
import { prometheusText } from '../admin/prometheus.ts';
import type { Known, Question } from '../admin/questions.ts';
import { readinessOf } from '../admin/readiness.ts';
import { Totals } from '../admin/totals.ts';
import type { Replies } from '../admin/workforce.ts';
import type { Config } from '../config/config.ts';
import { isPackaged } from '../config/package.ts';
import { siteCaps } from '../config/site-caps.ts';
import { parseDriverUrl } from '../core/routing/driver-url.ts';
import { candidates, hostOf } from '../core/routing/hostname.ts';
import type { LiveExplanation } from '../diagnostics/explanation.ts';
import { openEditor } from '../store/drivers/open-editor.ts';
import { FileEditor } from '../store/editor/file-editor.ts';
import { EditorError } from '../store/editor-error.ts';
import { aLabelsOf } from '../store/editor/idn.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import type { InnerMaster } from './inner-master.ts';
import type { Frontend, LookupStore } from './lookup-store.ts';
import type { Settings } from './settings.ts';

/** How long reading a store may take, ms. */
const EDITOR_MS = 3_000;

/** What Inspection needs of its router. */
export interface InspectionParts {
  readonly settings: Settings;
  readonly master: InnerMaster;
  /** The routes in memory, as a routes file has them. */
  readonly routes: () => string;
  readonly store: LookupStore | undefined;
  readonly state: () => { readonly addresses: readonly string[]; readonly isClosing: boolean };
}

/** Reads the counters and the routes of a router. */
export class Inspection {
  readonly #parts: InspectionParts;
  readonly #startedAt = Date.now();
  readonly #totals: Totals;
  /** Of Redis or a routes file: opened when it is needed. */
  #editor: RouteEditor | null = null;

  constructor(parts: InspectionParts) {
    this.#parts = parts;
    this.#totals = new Totals(parts.settings.config.metrics, () => performance.now());
  }

  /** As `GET /metrics` of the admin interface. */
  async metrics(): Promise<string> {
    const { master, workers } = await this.#ask({ type: 'metrics' });
    const readiness = readinessOf(master, workers, this.#totals.states);
    return await prometheusText(this.#totals, workers, readiness, master.changes);
  }

  /** As `GET /api/v1/frontends/HOST/explain` of the admin interface. @throws EditorError when the store cannot be read */
  async explain(asked: string, path: string, scheme: 'http' | 'https'): Promise<LiveExplanation> {
    const { config, features } = this.#parts.settings;
    const { server } = config;
    const editor = withOwnMarks(await this.#editorFor(asked, path), async (host) => {
      const answer = await this.#parts.master.ask({ type: 'marks', host });
      return answer.type === 'marks' ? answer.marks : [];
    });
    return await explainHere(
      editor,
      { ask: (question) => this.#ask(question) },
      { asked, path },
      {
        scheme,
        httpsPort: this.#securePort(),
        config: new Map(Object.entries(config.options)),
        features,
        zone: server.zone,
        caps: siteCaps(server.timeouts, server.limits),
      },
    );
  }

  async close(): Promise<void> {
    await this.#editor?.close();
  }

  #securePort(): number | null {
    const address = this.#parts.state().addresses.find((url) => url.startsWith('https:'));
    return address === undefined ? null : Number(new URL(address).port || 443);
  }

  async #ask(question: Question): Promise<Replies> {
    const { pid } = process;
    const { master, state } = this.#parts;
    const answer = await master.ask(question);
    if (answer.type === 'metrics' && answer.metrics) this.#totals.add(pid, answer.metrics);
    const upSeconds = (Date.now() - this.#startedAt) / 1000;
    const { addresses, isClosing } = state();
    const worker: Known = { pid, generation: 1, state: isClosing ? 'draining' : 'serving', upSeconds };
    return {
      master: this.#masterState(addresses, isClosing, upSeconds),
      workers: [worker],
      answers: new Map([[pid, answer]]),
    };
  }

  #masterState(listening: readonly string[], isStopping: boolean, upSeconds: number): MasterState {
    const started = { at: this.#startedAt, reason: null, madeAt: this.#startedAt };
    return {
      pid: process.pid,
      upSeconds,
      residentBytes: process.memoryUsage.rss(),
      listening,
      workers: 1,
      isStopping,
      hasRoutes: false,
      changes: { reload: started, upgrade: null, routes: null, logs: null, snapshot: null },
    };
  }

  async #editorFor(asked: string, path: string): Promise<RouteEditor> {
    const { settings, routes, store } = this.#parts;
    const { config, place } = settings;
    if (place === 'driver') return (this.#editor ??= editorOf(config));
    if (store === undefined) return heldIn('the routes of this router', config, routes());
    const host = hostOf(aLabelsOf(asked));
    const found = host === null ? null : await inTime(store.find(candidates(host), path));
    return heldIn('the store of this router', config, found === null ? '{}' : textOf(found));
  }
}

/** @throws EditorError when it takes longer than EDITOR_MS */
async function inTime<T>(found: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new EditorError('store-unavailable', `the store did not reply within ${EDITOR_MS / 1000} s`);
    timer = setTimeout(() => reject(error), EDITOR_MS);
  });
  try {
    return await Promise.race([found, late]);
  } finally {
    clearTimeout(timer);
  }
}

function editorOf({ driver, driverTls, server: urls }: Config): RouteEditor {
  const read = parseDriverUrl(driver.read, driverTls);
  return openEditor(read, parseDriverUrl(driver.write, driverTls), { timeoutMs: EDITOR_MS, urls, isPackaged });
}

function heldIn(name: string, { server: urls }: Config, text: string): RouteEditor {
  return new FileEditor(name, EDITOR_MS, urls, undefined, () => text);
}

/** A frontend as a routes file has it. */
function textOf({ key, list, options, headers, weights }: Frontend): string {
  return JSON.stringify({
    [key]: list,
    ...(options && { [`options:${key}`]: options }),
    ...(headers && { [`headers:${key}`]: headers }),
    ...(weights && { [`weights:${key}`]: weights }),
  });
}
