import { availableParallelism, totalmem } from 'node:os';
import { availableMemory } from './available-memory.ts';
import { readText } from './read-text.ts';

/** What a configuration may depend on besides its file: an argument, so that tests can be root without being so. */
export interface Machine {
  /** Who runs the program; 0 is root, -1 where there is no such thing. */
  readonly uid: number;
  readonly processors: number;
  /** What the program may take: see available-memory.ts. */
  readonly memoryBytes: number;
  /** Where the service manager has the program keep files, systemd's `STATE_DIRECTORY`; null where it says nothing. */
  readonly stateFolder: string | null;
  /** The text of /etc/passwd. */
  passwd(): string;
  /** The text of /etc/group. */
  group(): string;
}

export const thisMachine: Machine = {
  uid: process.getuid?.() ?? -1,
  processors: availableParallelism(),
  memoryBytes: availableMemory(totalmem(), readOrNothing),
  // The first, where there are several (systemd.exec(5)).
  stateFolder: process.env['STATE_DIRECTORY']?.split(':')[0] || null,
  passwd: () => readOrNothing('/etc/passwd'),
  group: () => readOrNothing('/etc/group'),
};

/** Small containers have no accounts: then there is simply none to find. */
function readOrNothing(path: string): string {
  try {
    return readText(path);
  } catch {
    return '';
  }
}
