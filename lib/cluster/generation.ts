import type { Worker } from 'node:cluster';
import type { Known } from '../admin/questions.ts';
import type { Config } from '../config/config.ts';
import { parseDriverUrl } from '../core/driver-url.ts';
import { CertificatesFolder, certificatesFolderOf } from '../store/certificates-folder.ts';
import { RoutesFile } from '../store/routes-file.ts';
import type { Notify } from '../store/store.ts';
import type { BoundSocket } from './bound-socket.ts';
import { Evenness } from './evenness.ts';
import type { ToMaster, ToWorker } from './messages.ts';
import { RoutesFeed } from './routes-feed.ts';
import { send, Slot, type SlotParts } from './slot.ts';

/** What a slot is given beyond its configuration. `slot`: the one it is for. */
export type PartsFor = (generation: Generation, slot: () => Slot) => Omit<SlotParts, 'configure' | 'limitMs'>;

/** The workers forked for one configuration, and the routes file they share, with the certificates beside it, if routes come from one. */
export class Generation {
  readonly config: Config;
  /** Which one it is: 1 is the start's. */
  readonly number: number;
  #listening: readonly string[] = [];
  readonly #sockets: readonly (BoundSocket | null)[];
  readonly #slots: readonly Slot[];
  #routesFile: RoutesFile | null = null;
  #feed: RoutesFeed<Worker> | null = null;
  #certificatesFolder: CertificatesFolder | null = null;
  #certificates: RoutesFeed<Worker> | null = null;
  readonly #evenness = new Evenness<Worker>(
    (worker, type) => send(worker, { type }),
    () => performance.now(),
  );
  #isReady = false;

  /**
   * @param number which one: those after the first are reloads, whose operator accepts what Redis holds now
   * @param ticketKeys what session tickets are sealed with, now
   * @param sockets one for each listener; null where workers make their own
   */
  constructor(
    config: Config,
    number: number,
    ticketKeys: () => Uint8Array,
    sockets: readonly (BoundSocket | null)[],
    partsFor: PartsFor,
  ) {
    this.config = config;
    this.number = number;
    const isReload = number > 1;
    this.#sockets = sockets;
    this.#slots = Array.from({ length: config.server.workers }, () => {
      const parts = partsFor(this, () => slot);
      const slot: Slot = new Slot({
        ...parts,
        limitMs: config.server.workerTimeout * 1000,
        configure: () => ({
          type: 'configure',
          config,
          mindsRun: this.#isReady || !isReload,
          ticketKeys: ticketKeys(),
        }),
        onMessage: (message, worker) => this.#hear(message, worker, parts),
        onExit: (worker, how, respawnMs) => {
          if (worker) {
            this.#feed?.forget(worker);
            this.#certificates?.forget(worker);
            this.#evenness.forget(worker);
          }
          parts.onExit(worker, how, respawnMs);
        },
      });
      return slot;
    });
  }

  /** Whether all its workers have been ready once. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Resolves with where they listen when all workers are ready.
   * @throws Error of the routes file, or of the first worker that could not start
   */
  async start(notify: Notify): Promise<readonly string[]> {
    const url = parseDriverUrl(this.config.driver.read);
    if (url.scheme === 'file') {
      const onChange = (image: Uint8Array): void => this.#feed?.replace(image);
      this.#routesFile = new RoutesFile(url.path, { notify, onChange });
      const image = await this.#routesFile.open();
      this.#feed = new RoutesFeed(image, (worker, piece) => send(worker, { type: 'routes', piece }));
      await this.#openCertificates(certificatesFolderOf(url.path));
    }
    const [listening = []] = await Promise.all(this.#slots.map((slot) => slot.start()));
    this.#isReady = true;
    this.#listening = listening;
    return listening;
  }

  /** Where its workers listen, as URLs; none before they do. */
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
    await Promise.all([this.#closeRoutes(), ...this.#slots.map((slot) => slot.stop(isEnd))]);
  }

  /** Resolves when none of the workers accepts connections any more; never before `stop`. */
  async closed(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.closed()));
  }

  /** Ends the workers at once. */
  kill(): void {
    for (const slot of this.#slots) slot.kill();
    void this.#closeRoutes();
  }

  #hear(message: ToMaster, worker: Worker, { onMessage }: Pick<SlotParts, 'onMessage'>): void {
    switch (message.type) {
      case 'closing':
        this.#evenness.forget(worker);
        return;
      case 'open':
        this.#evenness.has(worker, message.open);
        return;
      // What a worker said last may be heard after its end, when it has been forgotten.
      case 'accepts':
        if (!worker.isDead()) this.#evenness.accepts(worker);
        return;
      case 'want-socket': {
        const socket = this.#sockets[message.index];
        // One that is closed is not in the configuration any more, and the worker will hear of that.
        if (socket === null || socket?.isOpen)
          send(worker, { type: 'socket', index: message.index }, socket ?? undefined);
        return;
      }
      case 'want-routes':
        if (!worker.isDead()) this.#feed?.want(worker);
        return;
      case 'want-certificates':
        if (!worker.isDead()) this.#certificates?.want(worker);
        return;
      default:
        onMessage(message, worker);
    }
  }

  async #openCertificates(folder: string): Promise<void> {
    this.#certificatesFolder = new CertificatesFolder(folder, (image) => this.#certificates?.replace(image));
    const image = await this.#certificatesFolder.open();
    this.#certificates = new RoutesFeed(image, (worker, piece) => send(worker, { type: 'certificates', piece }));
  }

  /** Workers that only finish what they have need no news. */
  async #closeRoutes(): Promise<void> {
    await Promise.all([this.#routesFile?.close(), this.#certificatesFolder?.close()]);
  }
}
