import { availableParallelism, totalmem } from 'node:os';
import { availableMemory } from './available-memory.ts';
import { readText } from './read-text.ts';

/** What a configuration depends on besides its file. An argument, so that tests can act as root. */
export interface Machine {
  /** The user id of the process: 0 is root, -1 on systems without users. */
  readonly uid: number;
  readonly processors: number;
  /** How much memory the program may use: see available-memory.ts. */
  readonly memoryBytes: number;
  /** The folder that the service manager provides for state, systemd's `STATE_DIRECTORY`; null if there is none. */
  readonly stateFolder: string | null;
  /** The text of /etc/passwd. */
  passwd(): string;
  /** The text of /etc/group. */
  group(): string;
}

/** The machine that the program runs on. */
export const thisMachine: Machine = {
  uid: process.getuid?.() ?? -1,
  processors: availableParallelism(),
  memoryBytes: availableMemory(totalmem(), readOrNothing),
  // The first, if there are several (systemd.exec(5)).
  stateFolder: process.env['STATE_DIRECTORY']?.split(':')[0] || null,
  passwd: () => readOrNothing('/etc/passwd'),
  group: () => readOrNothing('/etc/group'),
};

/** Small containers have no account files: then no account is found. */
function readOrNothing(path: string): string {
  try {
    return readText(path);
  } catch {
    return '';
  }
}
