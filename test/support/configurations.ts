import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Config } from '../../lib/config/config.ts';
import { ConfigError } from '../../lib/config/faults.ts';
import { type Loaded, readConfig } from '../../lib/config/load.ts';
import type { Machine } from '../../lib/config/machine.ts';

/** Configuration files for tests: real ones, in a folder that goes when the test file ends. */

/** A machine with three processors and a few accounts, whose programs are not root. */
export const machine: Machine = {
  uid: 1000,
  processors: 3,
  memoryBytes: 3 * 2 ** 30,
  stateFolder: null,
  passwd: () =>
    'root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/bin/false\nann:x:1001:100::/home/ann:/bin/sh\n',
  group: () => 'root:x:0:\nwww-data:x:33:\nusers:x:100:\nstaff:x:50:ann\n',
};

export const asRoot: Machine = { ...machine, uid: 0 };

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder of the test file's own. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hipache-config-'));
  folders.push(folder);
  return folder;
}

/** Writes a configuration file and returns its path. A text is written as it stands. */
export function write(content: unknown, folder = makeFolder(), name = 'hipache.json'): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** A configuration written to a file and read back. @throws ConfigError */
export function read(content: unknown, on: Machine = machine): Loaded & { readonly deprecations: readonly string[] } {
  const deprecations: string[] = [];
  const loaded = readConfig(write(content), { machine: on, onDeprecation: (line) => deprecations.push(line) });
  return { ...loaded, deprecations };
}

export function load(content: unknown, on: Machine = machine): Config {
  return read(content, on).config;
}

/** The faults of a configuration; none when it is sound. */
export function faultsOf(content: unknown, on: Machine = machine): readonly string[] {
  try {
    read(content, on);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}
