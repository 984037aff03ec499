/** Workers with a routes file in this process, and their master. Messages pass as JSON, at once. */
import { FileMarks } from '../../lib/cluster/master/file-marks.ts';
import type { ToWorker } from '../../lib/cluster/messages.ts';
import { FileStore, type FileStoreMaster } from '../../lib/store/file/store.ts';
import { NO_MASTER } from './routes.ts';

export interface FileWorkers {
  readonly stores: readonly FileStore[];
  readonly marks: FileMarks<FileStore>;
  /** Called with all that the master sends. */
  readonly onSent: (listener: (message: ToWorker) => void) => void;
}

export function startFileWorkers(count: number, { hasTrials = true, hasChecks = true } = {}): FileWorkers {
  const listeners: ((message: ToWorker) => void)[] = [];
  const stores: FileStore[] = [];
  const marks = new FileMarks<FileStore>({
    tellAll: (message) => {
      for (const listener of listeners) listener(message);
      for (const store of stores) deliver(store, message);
    },
    tell: (store, message) => deliver(store, message),
    now: Date.now,
  });
  for (let i = 0; i < count; i++) {
    const master: FileStoreMaster = {
      ...NO_MASTER,
      askToMark: (asked) => marks.add(copied(asked), store),
      askToUnmark: (mark) => marks.remove(copied(mark)),
      sayChecked: (key, urls) => marks.setChecked(key, copied(urls)),
      askForTrial: (asked) => marks.give(copied(asked), store),
      sayPassed: (name) => marks.passed(copied(name)),
    };
    const store: FileStore = new FileStore({ ...master, hasTrials, hasChecks });
    stores.push(store);
  }
  return { stores, marks, onSent: (listener) => listeners.push(listener) };
}

function deliver(store: FileStore, sent: ToWorker): void {
  const message = copied(sent);
  switch (message.type) {
    case 'dead':
      return store.bury(message.mark);
    case 'alive':
      return store.revive(message.mark);
    case 'last-living':
      return store.spare(message.mark);
    case 'trial-reply':
      return store.trials.replied(message.name, message.waitMs);
    case 'checked':
      return store.setChecked(message.key, message.urls);
    default:
      throw new Error(message.type);
  }
}

function copied<T>(message: T): T {
  return JSON.parse(JSON.stringify(message)) as T;
}
