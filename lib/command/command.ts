import type { Console } from './console.ts';
import type { Option } from './usage.ts';
import type { Arguments } from './usage.ts';

/** What a command is run with. */
export interface Run {
  readonly args: Arguments;
  readonly console: Console;
  /** The configuration to take when none is named; null where there is none. */
  readonly configPath: string | null;
}

/** A command, loaded when it is asked for. */
export interface Command {
  readonly help: string;
  readonly options: readonly Option[];
  /** Resolves to the exit code. @throws UsageError, CommandFailure, EditorError, ConfigError */
  run(run: Run): Promise<number>;
}

/** Work that could not be done; exit code 1. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  /** For programs. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
