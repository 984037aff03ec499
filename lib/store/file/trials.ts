import type { Backend } from '../../core/routing/types.ts';
import type { TrialMarks } from '../store.ts';
import { MasterReplies } from './master-replies.ts';

/** A backend of a frontend, as the master identifies its trials. Plain data: it is sent between processes. */
export interface TrialName {
  /** As in DeadMark. */
  readonly frontend: string;
  readonly url: string;
}

/** A worker's request for the right to a trial, for so long. */
export interface AskedTrialRight extends TrialName {
  readonly ms: number;
}

/** How trials are taken from the master. No function may throw. */
export interface FileTrialsParts {
  /** Asks for the right to a trial; the reply comes by `replied`. */
  readonly askForTrial: (asked: AskedTrialRight) => void;
  /** A trial has passed: the master removes the mark for all workers. */
  readonly sayPassed: (name: TrialName) => void;
}

/** Trials with a routes file: the master has the records, in its dead marks. */
export class FileTrials implements TrialMarks {
  readonly #parts: FileTrialsParts;
  readonly #replies = new MasterReplies<number>();

  constructor(parts: FileTrialsParts) {
    this.#parts = parts;
  }

  take(frontend: string, { href: url }: Backend, ms: number): Promise<number> {
    const asked = { frontend, url, ms };
    return this.#replies.ask(textOf(asked), () => this.#parts.askForTrial(asked));
  }

  async pass(frontend: string, { href: url }: Backend): Promise<void> {
    this.#parts.sayPassed({ frontend, url });
  }

  /** The master's reply: 0, or after how many ms to ask again. */
  replied(name: TrialName, waitMs: number): void {
    this.#replies.came(textOf(name), waitMs);
  }
}

function textOf({ frontend, url }: TrialName): string {
  return `${frontend} ${url}`;
}
