import type { Worker } from 'node:cluster';
import type { Known } from '../../admin/questions.ts';
import type { Config } from '../../config/config.ts';
import { parseDriverUrl } from '../../core/routing/driver-url.ts';
import { type ChangeOutcome, ChangeRecord } from '../../core/record/change-record.ts';
import { CertificatesFolder, certificatesFolderOf } from '../../store/file/certificates-folder.ts';
import type { KnownRun } from '../../store/cache/known-routes.ts';
import { RoutesFile } from '../../store/file/routes-file.ts';
import type { Notify, StoreEvent } from '../../store/store.ts';
import type { BoundSocket } from './bound-socket.ts';
import { ConnectionBalance } from './connection-balance.ts';
import type { ToWorker } from '../messages.ts';
import { routerId } from './router-id.ts';
import { RoutesFeed } from './routes-feed.ts';
import { ownStickySecret } from './sticky-secret.ts';
import { send, WorkerSlot, type WorkerSlotParts } from './worker-slot.ts';
import { WorkerStarts } from './worker-starts.ts';

const STOPPED = 'it was stopped before it had started';

/** What a slot needs beyond its configuration. `slot`: the slot itself. */
export type PartsFor = (
  slot: () => WorkerSlot,
) => Omit<WorkerSlotParts, 'configure' | 'limitMs' | 'onReady' | 'mayRespawn'>;

/** What all generations have in common. */
export interface Shared {
  /** The keys of session tickets. */
  readonly ticketKeys: () => Uint8Array;
  /** The run of Redis that the master's snapshot comes from. */
  readonly known: (config: Config) => KnownRun;
  /** Keys for which the master has a last good certificate from the configuration's store. */
  readonly goodPairs: (config: Config) => readonly string[];
}

/**
 * The workers of one configuration, with the routes file and certificates folder that they share, if routes come from a
 * file.
 */
export class Generation {
  readonly config: Config;
  /** 1 for the generation of the start, counted up by each reload. */
  readonly number: number;
  #listening: readonly string[] = [];
  readonly #sockets: readonly (BoundSocket | null)[];
  readonly #slots: readonly WorkerSlot[];
  readonly #start: WorkerStarts;
  #routesFile: RoutesFile | null = null;
  #feed: RoutesFeed<Worker> | null = null;
  readonly #routes = new ChangeRecord(Date.now);
  #certificatesFolder: CertificatesFolder | null = null;
  #certificates: RoutesFeed<Worker> | null = null;
  readonly #connectionBalance = new ConnectionBalance<Worker>(
    (worker, type) => send(worker, { type }),
    () => performance.now(),
  );
  #isReady = false;

  /**
   * @param number 1 for the start; higher ones are reloads
   * @param shared what all generations have in common
   * @param sockets one per listener; null where workers make their own
   * @param isAlone whether no older workers go on if these do not start: see WorkerStarts
   */
  constructor(
    config: Config,
    number: number,
    shared: Shared,
    sockets: readonly (BoundSocket | null)[],
    isAlone: boolean,
    partsFor: PartsFor,
  ) {
    this.config = config;
    this.number = number;
    this.#sockets = sockets;
    this.#start = new WorkerStarts(config.server.workers, isAlone);
    this.#slots = Array.from({ length: config.server.workers }, (_, index) => {
      const parts = partsFor(() => slot);
      const slot: WorkerSlot = new WorkerSlot({
        ...parts,
        limitMs: config.server.workerTimeout * 1000,
        configure: () => ({
          type: 'configure',
          config,
          member: { router: routerId, master: process.pid, generation: number, slot: index },
          known: shared.known(config),
          preloads: index === 0,
          ticketKeys: shared.ticketKeys(),
          stickySecret: ownStickySecret.current,
          goodPairs: shared.goodPairs(config),
        }),
        onReady: (listening) => this.#start.ready(index, listening),
        mayRespawn: (end) => this.#start.ended(index, end),
        onExit: (worker, how, respawnMs) => {
          if (worker) {
            this.#feed?.forget(worker);
            this.#certificates?.forget(worker);
            this.#connectionBalance.forget(worker);
          }
          parts.onExit(worker, how, respawnMs);
        },
      });
      return slot;
    });
  }

  /** Whether all its workers have been ready once, except those that WorkerStarts goes without. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Resolves with the listening URLs when all workers are ready, or as many as WorkerStarts requires.
   * @throws Error about the routes file, or why the workers did not start
   */
  async start(notify: Notify): Promise<readonly string[]> {
    const url = parseDriverUrl(this.config.driver.read);
    if (url.scheme === 'file') {
      const onChange = (image: Uint8Array): void => this.#feed?.replace(image);
      this.#routesFile = new RoutesFile(url.path, { notify: (notice) => this.#hearRoutes(notice, notify), onChange });
      const image = await this.#routesFile.open();
      this.#feed = new RoutesFeed(image, (worker, piece) => send(worker, { type: 'routes', piece }));
      await this.#openCertificates(certificatesFolderOf(url.path));
    }
    for (const slot of this.#slots) slot.start();
    this.#listening = await this.#start.done;
    this.#isReady = true;
    return this.#listening;
  }

  /** The last change of the routes file; null without one. */
  get routes(): ChangeOutcome | null {
    return this.#routes.last;
  }

  /** The listening URLs of its workers; empty before they listen. */
  get listening(): readonly string[] {
    return this.#listening;
  }

  /** Its workers that have not exited. */
  census(): readonly (Omit<Known, 'pid'> & { readonly worker: Worker })[] {
    return this.#slots.flatMap((slot) => slot.census().map((each) => Object.assign(each, { generation: this.number })));
  }

  tell(message: ToWorker): void {
    for (const slot of this.#slots) slot.tell(message);
  }

  /** Resolves when all workers have finished and exited. Idempotent. @param isEnd whether the program ends */
  async stop(isEnd: boolean): Promise<void> {
    this.#start.refuse(STOPPED);
    await Promise.all([this.#closeRoutes(), ...this.#slots.map((slot) => slot.stop(isEnd))]);
  }

  /** Resolves when no worker accepts connections any more; never before `stop` was called. */
  async closed(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.closed()));
  }

  /** Kills the workers at once. */
  kill(): void {
    this.#start.refuse(STOPPED);
    for (const slot of this.#slots) slot.kill();
    void this.#closeRoutes();
  }

  /** A worker is about to stop accepting. */
  isClosing(worker: Worker): void {
    this.#connectionBalance.forget(worker);
  }

  hasConnections(worker: Worker, open: number): void {
    this.#connectionBalance.has(worker, open);
  }

  accepts(worker: Worker): void {
    // A worker's last messages may be delivered after its exit.
    if (!worker.isDead()) this.#connectionBalance.accepts(worker);
  }

  sendSocket(worker: Worker, index: number): void {
    const socket = this.#sockets[index];
    // A closed socket is not in the configuration any more: the worker is about to be drained.
    if (socket === null || socket?.isOpen) send(worker, { type: 'socket', index }, socket ?? undefined);
  }

  sendRoutes(worker: Worker): void {
    this.#feed?.want(worker);
  }

  sendCertificates(worker: Worker): void {
    if (!worker.isDead()) this.#certificates?.want(worker);
  }

  #hearRoutes(notice: StoreEvent, notify: Notify): void {
    if (notice.type === 'routes-loaded') this.#routes.made();
    else if (notice.type === 'routes-refused') this.#routes.refused(notice.fault);
    notify(notice);
  }

  async #openCertificates(folder: string): Promise<void> {
    this.#certificatesFolder = new CertificatesFolder(folder, (image) => this.#certificates?.replace(image));
    const image = await this.#certificatesFolder.open();
    this.#certificates = new RoutesFeed(image, (worker, piece) => send(worker, { type: 'certificates', piece }));
  }

  /** Draining workers need no new routes. */
  async #closeRoutes(): Promise<void> {
    await Promise.all([this.#routesFile?.close(), this.#certificatesFolder?.close()]);
  }
}
