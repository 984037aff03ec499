/** A router in this process: the one worker of a router without a master, without signals, and without exits. */
import { randomBytes, randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { RoutesFeed } from '../cluster/master/routes-feed.ts';
import { ROTATION_MS, TicketKeys } from '../cluster/master/ticket-keys.ts';
import type { ToMaster } from '../cluster/messages.ts';
import { Worker } from '../cluster/worker/worker.ts';
import { parseDriverUrl } from '../core/routing/driver-url.ts';
import type { LiveExplanation } from '../diagnostics/explanation.ts';
import { logStoreEvent } from '../observe/events.ts';
import { createLog, type Log } from '../observe/log.ts';
import type { OpenedStore, StoreSettings } from '../store/drivers/open-store.ts';
import { CertificatesFolder, certificatesFolderOf } from '../store/file/certificates-folder.ts';
import { encodeCertificates } from '../store/file/certificates.ts';
import { RoutesFile } from '../store/file/routes-file.ts';
import { InnerMaster } from './inner-master.ts';
import { Inspection } from './inspection.ts';
import type { RouterEvent, RouterOptions } from './options.ts';
import { openOwnStore } from './own-store.ts';
import { type Routes, RouteSet } from './routes.ts';
import { readOptions, type Settings } from './settings.ts';

/** A router that serves. */
export interface Router {
  /** The URLs that it listens on, those of `http` first: `http://127.0.0.1:34567`. */
  readonly addresses: readonly string[];
  /** Emits each event under its name, such as `backend-dead`, and under `event`; see RouterEvent. */
  readonly events: EventEmitter;
  /** The routes in memory. Throws with another kind of store. */
  readonly routes: Routes;
  /** Where a request goes, and why: see "Explain" in docs/admin.md. Rejects when the store cannot be read. */
  explain(host: string, path?: string, scheme?: 'http' | 'https'): Promise<LiveExplanation>;
  /** The metrics of docs/admin.md in Prometheus' format. */
  metrics(): Promise<string>;
  /**
   * Stops to accept, finishes open requests within the limits of `server.drain`, and ends everything. Idempotent. Rejects when `store.close`
   * does.
   */
  close(): Promise<void>;
}

/**
 * Starts a router.
 * @throws ConfigError with every fault of the configuration, in the words of the command `hipache`; Error when the routes
 *   cannot be used, or an address cannot be listened on. Then nothing is left open
 */
export async function createRouter(options: RouterOptions = {}): Promise<Router> {
  const router = new InnerRouter(options);
  try {
    await router.start();
  } catch (error) {
    await router.close();
    throw error;
  }
  return router;
}

class InnerRouter implements Router {
  readonly events = new EventEmitter();
  readonly #options: RouterOptions;
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #master: InnerMaster;
  readonly #inspection: Inspection;
  readonly #ticketKeys: TicketKeys;
  /** Null where the routes are elsewhere. */
  readonly #routes: RouteSet | null;
  #worker: Worker | null = null;
  #routesFile: RoutesFile | null = null;
  #certificatesFolder: CertificatesFolder | null = null;
  #addresses: readonly string[] = [];
  #closed: Promise<void> | null = null;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#settings = readOptions(options);
    const { config, place, features } = this.#settings;
    if (options.onEvent) this.events.on('event', options.onEvent);
    this.#log = createLog(config.server, (line) => this.#emit(line), true);
    this.#routes = place === 'memory' ? this.#routesInMemory(features) : null;
    this.#master = new InnerMaster({
      tell: (message, socket) => this.#worker?.hear(message, socket),
      onLine: (line) => this.#emit(line),
    });
    this.#ticketKeys = new TicketKeys(ROTATION_MS, (keys) => this.#master.send({ type: 'ticket-keys', keys }));
    this.#inspection = new Inspection({
      settings: this.#settings,
      master: this.#master,
      routes: () => this.#routes?.text ?? '{}',
      store: options.store,
      state: () => ({ addresses: this.#addresses, isClosing: this.#closed !== null }),
    });
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  get routes(): Routes {
    if (this.#routes === null) throw new Error('the routes of this router are in a store: change them there');
    return this.#routes;
  }

  /** @throws as `createRouter` */
  async start(): Promise<void> {
    const { config, features } = this.#settings;
    await this.#openFeeds();
    const configure = {
      type: 'configure',
      config,
      member: { router: randomUUID(), master: process.pid, generation: 1, slot: 0 },
      known: { runId: null, lostAt: null },
      preloads: true,
      ticketKeys: this.#ticketKeys.current,
      stickySecret: randomBytes(32).toString('base64url'),
      goodPairs: [],
    } as const;
    const { store } = this.#options;
    const openStore = store && ((settings: StoreSettings): OpenedStore => openOwnStore(store, settings));
    const say = (message: ToMaster): void => this.#master.hear(message);
    this.#worker = new Worker(configure, say, { openStore, features, isSilent: true });
    this.#addresses = Object.freeze([...(await this.#worker.start())]);
    for (const [index, { address }] of config.listeners.entries()) {
      this.#master.listensAt(index, { address, port: portOf(this.#addresses[index] ?? '') });
    }
  }

  explain(host: string, path = '/', scheme: 'http' | 'https' = 'http'): Promise<LiveExplanation> {
    return this.#inspection.explain(host, path, scheme);
  }

  metrics(): Promise<string> {
    return this.#inspection.metrics();
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    await Promise.all([this.#routesFile?.close(), this.#certificatesFolder?.close()]);
    await this.#worker?.drain(true);
    this.#worker?.flush();
    this.#ticketKeys.close();
    this.#log.end();
    await this.#inspection.close();
    await this.#options.store?.close?.();
  }

  #routesInMemory(features: Settings['features']): RouteSet {
    return new RouteSet(this.#options.routes ?? {}, {
      features,
      onChange: (image) => this.#master.routes?.replace(image),
      onWarning: (key, fault) => logStoreEvent(this.#log, { type: 'route-fault', key, fault }),
    });
  }

  /** Opens what a master sends to its workers: the routes and certificates that are not in Redis or a store of one's own. */
  async #openFeeds(): Promise<void> {
    if (this.#routes !== null) {
      this.#feed(this.#routes.image, encodeCertificates([]));
      return;
    }
    const url = parseDriverUrl(this.#settings.config.driver.read);
    if (this.#settings.place !== 'driver' || url.scheme !== 'file') return;
    this.#routesFile = new RoutesFile(url.path, {
      notify: (notice) => logStoreEvent(this.#log, notice),
      onChange: (image) => this.#master.routes?.replace(image),
      otherOptions: (this.#options.features ?? []).flatMap(({ fieldNames }) => fieldNames),
    });
    const image = await this.#routesFile.open();
    this.#certificatesFolder = new CertificatesFolder(certificatesFolderOf(url.path), (pairs) =>
      this.#master.certificates?.replace(pairs),
    );
    this.#feed(image, await this.#certificatesFolder.open());
  }

  #feed(routes: Uint8Array, certificates: Uint8Array): void {
    this.#master.routes = new RoutesFeed(routes, (_worker, piece) => this.#master.send({ type: 'routes', piece }));
    this.#master.certificates = new RoutesFeed(certificates, (_worker, piece) =>
      this.#master.send({ type: 'certificates', piece }),
    );
  }

  /** In a turn of its own: what a listener throws is an error of the program, not of the code that has logged. */
  #emit(line: string): void {
    if (this.events.eventNames().length === 0) return;
    const event = JSON.parse(line) as RouterEvent;
    process.nextTick(() => {
      this.events.emit('event', event);
      this.events.emit(event.event, event);
    });
  }
}

function portOf(address: string): number {
  const { port, protocol } = new URL(address);
  return Number(port) || (protocol === 'https:' ? 443 : 80);
}
