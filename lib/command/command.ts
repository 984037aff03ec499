import type { Console } from './console.ts';
import type { Option } from './usage.ts';
import type { Arguments } from './usage.ts';

/** The input of a command. */
export interface Run {
  readonly args: Arguments;
  readonly console: Console;
  /** The configuration to use when none is named; null if there is none. */
  readonly configPath: string | null;
}

/** A command. Loaded only when it is run. */
export interface Command {
  readonly help: string;
  readonly options: readonly Option[];
  /** Resolves to the exit code. @throws UsageError, CommandFailure, EditorError, ConfigError */
  run(run: Run): Promise<number>;
}

/** The command could not do its work; exit code 1. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  /** The error code for programs. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
