import type { Config } from '../config/config.ts';
import { parseDriverUrl } from '../core/driver-url.ts';
import { RoutesFile } from '../store/routes-file.ts';
import type { Notify } from '../store/store.ts';
import type { ToWorker } from './messages.ts';
import { Slot, type SlotParts } from './slot.ts';

/** What a slot is given beyond its configuration. `slot`: the one it is for. */
export type PartsFor = (generation: Generation, slot: () => Slot) => Omit<SlotParts, 'configure'>;

/** The workers forked for one configuration, and the routes file they share, if routes come from one. */
export class Generation {
  readonly config: Config;
  readonly #slots: readonly Slot[];
  #routesFile: RoutesFile | null = null;
  #isReady = false;
  #isEnding = false;

  /** @param isReload whether it takes the place of another: an operator who reloads accepts what Redis holds now */
  constructor(config: Config, isReload: boolean, partsFor: PartsFor) {
    this.config = config;
    this.#slots = Array.from({ length: config.server.workers }, () => {
      const slot: Slot = new Slot({
        ...partsFor(this, () => slot),
        configure: () => ({
          type: 'configure',
          config,
          routes: this.#routesFile?.routes ?? null,
          mindsRun: this.#isReady || !isReload,
        }),
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
      const onChange = (): void => this.tell({ type: 'routes', routes: this.#routesFile?.routes ?? [] });
      this.#routesFile = await RoutesFile.open(url.path, { notify, onChange });
      // A stop that came during the first reading found no file to close.
      if (this.#isEnding) await this.#routesFile.close();
    }
    const [listening = []] = await Promise.all(this.#slots.map((slot) => slot.start()));
    this.#isReady = true;
    return listening;
  }

  tell(message: ToWorker): void {
    for (const slot of this.#slots) slot.tell(message);
  }

  /** Resolves when all workers have finished and exited. Idempotent. */
  async stop(): Promise<void> {
    await Promise.all([this.#closeRoutes(), ...this.#slots.map((slot) => slot.stop())]);
  }

  /** Ends the workers at once. */
  kill(): void {
    for (const slot of this.#slots) slot.kill();
    void this.#closeRoutes();
  }

  /** Workers that only finish what they have need no news. */
  async #closeRoutes(): Promise<void> {
    this.#isEnding = true;
    await this.#routesFile?.close();
  }
}
