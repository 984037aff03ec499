import type { FromAdmin, MasterState, ToAdmin } from './messages.ts';
import type { Answer, Known, Question } from './questions.ts';

/** How long the workers may take to answer, ms. One that hangs is not waited for. */
const PATIENCE_MS = 500;

/** What came of a question. */
export interface Replies {
  readonly master: MasterState;
  /** Every worker there is. */
  readonly workers: readonly Known[];
  /** The answers that came in time, by process id. */
  readonly answers: ReadonlyMap<number, Answer>;
}

interface Open {
  readonly answers: Map<number, Answer>;
  census: Pick<Replies, 'master' | 'workers'> | null;
  readonly settle: (replies: Replies | null) => void;
  readonly timer: NodeJS.Timeout;
}

/** The workers, as the admin process asks them by way of the master. */
export class WorkerQueries {
  readonly #say: (message: FromAdmin) => void;
  readonly #onAnswer: (pid: number, answer: Answer) => void;
  readonly #open = new Map<number, Open>();
  #last = 0;

  /** @param onAnswer told of every answer, late ones and such that nobody asked for among them */
  constructor(say: (message: FromAdmin) => void, onAnswer: (pid: number, answer: Answer) => void) {
    this.#say = say;
    this.#onAnswer = onAnswer;
  }

  /** Asks all workers. @throws Error when the master itself does not answer */
  async ask(question: Question): Promise<Replies> {
    const id = ++this.#last;
    const replies = await new Promise<Replies | null>((settle) => {
      const timer = setTimeout(() => this.#settle(id), PATIENCE_MS);
      this.#open.set(id, { answers: new Map(), census: null, settle, timer });
      this.#say({ type: 'ask', id, question });
    });
    if (replies === null) throw new Error('the master process does not answer');
    return replies;
  }

  /** Hears what the master says. */
  hear(message: Extract<ToAdmin, { type: 'asked' | 'told' }>): void {
    const open = this.#open.get(message.id);
    if (message.type === 'asked') {
      if (open) open.census = message;
    } else {
      this.#onAnswer(message.pid, message.answer);
      open?.answers.set(message.pid, message.answer);
    }
    if (!open?.census) return;
    // Those that start have not been told what to do yet, and answer nothing.
    const awaited = open.census.workers.filter(({ state }) => state !== 'starting');
    if (awaited.every(({ pid }) => open.answers.has(pid))) this.#settle(message.id);
  }

  /** Nobody is asked any more. */
  close(): void {
    for (const id of this.#open.keys()) this.#settle(id);
  }

  #settle(id: number): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    clearTimeout(open.timer);
    const { census, answers } = open;
    open.settle(census && { master: census.master, workers: census.workers, answers });
  }
}
