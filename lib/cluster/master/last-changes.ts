import type { Changes } from '../../admin/changes.ts';
import { ChangeRecord } from '../../core/record/change-record.ts';
import type { Generation } from './generation.ts';
import type { SnapshotKeeper } from './snapshot-keeper.ts';
import type { ServiceManager } from './service-manager.ts';
import { statusOf } from './status.ts';

/** The outcome of the last change of each kind, for the admin interface and systemd's status. */
export class LastChanges {
  readonly reload = new ChangeRecord(Date.now);
  readonly upgrade = new ChangeRecord(Date.now);
  readonly logs = new ChangeRecord(Date.now);
  readonly #current: () => Generation | null;
  readonly #lastKnown: SnapshotKeeper;
  readonly #manager: ServiceManager;

  /** @param current returns the generation that serves */
  constructor(current: () => Generation | null, lastKnown: SnapshotKeeper, manager: ServiceManager) {
    this.#current = current;
    this.#lastKnown = lastKnown;
    this.#manager = manager;
  }

  get all(): Changes {
    const { reload, upgrade, logs } = this;
    return {
      reload: reload.last,
      upgrade: upgrade.last,
      routes: this.#current()?.routes ?? null,
      logs: logs.last,
      snapshot: this.#lastKnown.snapshot,
    };
  }

  /** One line for `systemctl status`. */
  get status(): string {
    return statusOf(this.#current()?.listening ?? [], this.all);
  }

  /** Sends the status to systemd, if it has changed. */
  tell(): void {
    this.#manager.status(this.status);
  }
}
