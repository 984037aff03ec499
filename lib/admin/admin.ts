/** The admin interface: everything that the admin process does, except for the process itself. */
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { AdminPlace, Config } from '../config/config.ts';
import { isPackaged } from '../config/package.ts';
import { parseDriverUrl } from '../core/routing/driver-url.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import type { Fleet } from '../store/fleet.ts';
import { openFleet } from '../store/drivers/open-fleet.ts';
import { openEditor } from '../store/drivers/open-editor.ts';
import { allRequests, EVENTS_PATH } from './all-requests.ts';
import { Deploys } from './deploys.ts';
import { readDashboard } from './dashboard.ts';
import { EventLog } from './event-log.ts';
import { EventStream } from './event-stream.ts';
import { AdminListener } from './listener.ts';
import type { FromAdmin, ToAdmin } from './messages.ts';
import type { Answer } from './questions.ts';
import type { Asked, Reply } from './reply.ts';
import { dispatcher } from './requests.ts';
import { Totals } from './totals.ts';
import { WorkersFleet } from './workers-fleet.ts';
import { WorkerQueries } from './workforce.ts';

const SECOND_MS = 1_000;
/** Between two attempts to listen, ms: a predecessor closes its socket soon. */
const RETRY_MS = 100;
/** After so long without success, ms, the failure is logged, and attempts are less frequent. */
const PATIENCE_MS = 3_000;
const SLOW_RETRY_MS = 1_000;
/** How long reading or editing the store may take, ms. */
const EDITOR_MS = 3_000;

/** What Admin needs of its process. */
export interface AdminParts {
  readonly say: (message: FromAdmin) => void;
  /** Called once for each address that cannot be listened on. The interface tries again. */
  readonly onListenFault: (place: AdminPlace, error: unknown) => void;
  readonly onMistake: (error: unknown) => void;
}

/** The admin interface: its listeners, requests, counters and events. */
export class Admin {
  readonly events = new EventLog();
  readonly #parts: AdminParts;
  readonly #workerQueries: WorkerQueries;
  readonly #totals: Totals;
  readonly #stream: EventStream;
  readonly #listeners: readonly AdminListener[];
  readonly #places: readonly AdminPlace[];
  readonly #dashboard = readDashboard();
  readonly #closing = new AbortController();
  readonly #clock: NodeJS.Timeout;
  #token: string | null;
  readonly #deploys: Deploys;
  #editor: RouteEditor;
  #fleet: Fleet;
  #answer: (asked: Asked) => Promise<Reply>;

  constructor(config: Config, parts: AdminParts) {
    this.#parts = parts;
    this.#totals = new Totals(config.metrics, () => performance.now());
    this.#workerQueries = new WorkerQueries(parts.say, (pid, answer) => this.#onAnswer(pid, answer));
    this.#stream = new EventStream(this.events);
    this.#deploys = new Deploys(parts.onMistake);
    this.#token = config.admin?.token ?? null;
    this.#editor = bookOf(config);
    this.#fleet = this.#fleetOf(config);
    this.#answer = this.#dispatcherFor(config);
    this.#places = config.admin?.places ?? [];
    this.#listeners = this.#places.map(
      (place) =>
        new AdminListener(place, {
          token: () => this.#token,
          answer: (asked) => this.#answer(asked),
          stream: this.#stream,
          streamPath: EVENTS_PATH,
          onMistake: parts.onMistake,
        }),
    );
    this.#clock = setInterval(() => void this.#endSecond(), SECOND_MS);
  }

  /** Starts to listen. Resolves with the URLs when it does. Waits for addresses that are in use. */
  async open(): Promise<readonly string[]> {
    return await Promise.all(this.#listeners.map((listener, index) => this.#openOne(listener, index)));
  }

  /** Applies another configuration with the same addresses. */
  configure(config: Config): void {
    this.#token = config.admin?.token ?? null;
    const old = [this.#editor, this.#fleet];
    const ended = this.#deploys.ended();
    this.#editor = bookOf(config);
    this.#fleet = this.#fleetOf(config);
    this.#answer = this.#dispatcherFor(config);
    // Requests that use the old editor still get their responses.
    const close = (): void => old.forEach((each) => void each.close());
    void ended.then(() => setTimeout(close, 2 * EDITOR_MS).unref());
  }

  hear(message: Exclude<ToAdmin, { type: 'configure' | 'close' }>): void {
    if (message.type === 'event') this.events.add(message.line);
    else this.#workerQueries.hear(message);
  }

  async close(): Promise<void> {
    clearInterval(this.#clock);
    this.#closing.abort();
    this.#stream.close();
    this.#workerQueries.close();
    await this.#deploys.close();
    await Promise.all([
      this.#editor.close(),
      this.#fleet.close(),
      ...this.#listeners.map((listener) => listener.close()),
    ]);
  }

  async #openOne(listener: AdminListener, index: number): Promise<string> {
    const startedAt = performance.now();
    let isTold = false;
    for (;;) {
      try {
        return await listener.open();
      } catch (error) {
        const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
        const isLate = performance.now() - startedAt > PATIENCE_MS;
        const place = this.#places[index];
        if ((isLate || !isTaken) && !isTold && place) {
          isTold = true;
          this.#parts.onListenFault(place, error);
        }
        await delay(isTold ? SLOW_RETRY_MS : RETRY_MS, undefined, { signal: this.#closing.signal });
      }
    }
  }

  #dispatcherFor(config: Config): (asked: Asked) => Promise<Reply> {
    return dispatcher(
      allRequests({
        config,
        editor: this.#editor,
        workerQueries: this.#workerQueries,
        totals: this.#totals,
        dashboard: this.#dashboard,
        events: this.events,
        fleet: this.#fleet,
        deploys: this.#deploys,
      }),
    );
  }

  #fleetOf({ driver, driverTls }: Config): Fleet {
    return openFleet(parseDriverUrl(driver.write, driverTls), EDITOR_MS) ?? new WorkersFleet(this.#workerQueries);
  }

  #onAnswer(pid: number, answer: Answer): void {
    if (answer.type === 'metrics' && answer.metrics) this.#totals.add(pid, answer.metrics);
  }

  async #endSecond(): Promise<void> {
    try {
      const { workers } = await this.#workerQueries.ask({ type: 'metrics' });
      this.#totals.keepOnly(new Set(workers.map(({ pid }) => pid)));
    } catch {
      // The master hangs or exits. The counters stay in the workers and are read later.
    }
    this.#totals.endSecond();
  }
}

function bookOf({ driver, driverTls, server: urls }: Config): RouteEditor {
  const read = parseDriverUrl(driver.read, driverTls);
  const settings = { timeoutMs: EDITOR_MS, urls, isPackaged, by: `api@${hostname()}` };
  return openEditor(read, parseDriverUrl(driver.write, driverTls), settings);
}
