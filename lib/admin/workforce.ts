import type { FromAdmin, MasterState, ToAdmin } from './messages.ts';
import type { Answer, Known, Question } from './questions.ts';

/** How long workers may take to reply, ms. A worker that hangs is left out. */
const PATIENCE_MS = 500;

/** The replies to a question. */
export interface Replies {
  readonly master: MasterState;
  /** Every running worker. */
  readonly workers: readonly Known[];
  /** The replies that came in time, by process id. */
  readonly answers: ReadonlyMap<number, Answer>;
}

interface Open {
  readonly answers: Map<number, Answer>;
  census: Pick<Replies, 'master' | 'workers'> | null;
  readonly settle: (replies: Replies | null) => void;
  readonly timer: NodeJS.Timeout;
}

/** Sends questions to the workers by way of the master. */
export class WorkerQueries {
  readonly #say: (message: FromAdmin) => void;
  readonly #onAnswer: (pid: number, answer: Answer) => void;
  readonly #open = new Map<number, Open>();
  #last = 0;

  /** @param onAnswer called for every reply, also late and unasked ones */
  constructor(say: (message: FromAdmin) => void, onAnswer: (pid: number, answer: Answer) => void) {
    this.#say = say;
    this.#onAnswer = onAnswer;
  }

  /** Asks all workers. @throws Error when the master does not reply */
  async ask(question: Question): Promise<Replies> {
    const id = ++this.#last;
    const replies = await new Promise<Replies | null>((settle) => {
      const timer = setTimeout(() => this.#settle(id), PATIENCE_MS);
      this.#open.set(id, { answers: new Map(), census: null, settle, timer });
      this.#say({ type: 'ask', id, question });
    });
    if (replies === null) throw new Error('the master process does not reply');
    return replies;
  }

  /** Handles the master's messages. */
  hear(message: Extract<ToAdmin, { type: 'asked' | 'told' }>): void {
    const open = this.#open.get(message.id);
    if (message.type === 'asked') {
      if (open) open.census = message;
    } else {
      this.#onAnswer(message.pid, message.answer);
      open?.answers.set(message.pid, message.answer);
    }
    if (!open?.census) return;
    // Workers that start have no configuration yet and do not reply.
    const awaited = open.census.workers.filter(({ state }) => state !== 'starting');
    if (awaited.every(({ pid }) => open.answers.has(pid))) this.#settle(message.id);
  }

  /** Ends open questions without further replies. */
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
