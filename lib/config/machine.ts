import { availableParallelism } from 'node:os';
import { readText } from './read-text.ts';

/** What a configuration may depend on besides its file: an argument, so that tests can be root without being so. */
export interface Machine {
  /** Who runs the program; 0 is root, -1 where there is no such thing. */
  readonly uid: number;
  readonly processors: number;
  /** The text of /etc/passwd. */
  passwd(): string;
  /** The text of /etc/group. */
  group(): string;
}

export const thisMachine: Machine = {
  uid: process.getuid?.() ?? -1,
  processors: availableParallelism(),
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
