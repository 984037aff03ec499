import type { Agent } from 'node:http';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ask } from './client.ts';

/** How a Load asks. */
export interface LoadOptions {
  readonly clients?: number;
  /** Keeps the connections; without one each request has a new one. */
  readonly agent?: Agent;
  /** Between two requests of a client. By default the machine has time for others, and requests fall into any moment all the same. */
  readonly pauseMs?: number;
}

/** Clients that send requests all the time, to show that none fails while the router changes. */
export class Load {
  readonly #port: number;
  readonly #agent: Agent | undefined;
  readonly #pauseMs: number;
  readonly #running: Promise<unknown>;
  /** What was not answered with 200, one line each. */
  readonly faults: string[] = [];
  #answered = 0;
  #isStopping = false;
  #onAnswer: () => void = () => {};

  /** Asks a port over and over, until the end of the test at the latest. */
  constructor(t: TestContext, port: number, { clients = 4, agent, pauseMs = 5 }: LoadOptions = {}) {
    this.#port = port;
    this.#agent = agent;
    this.#pauseMs = pauseMs;
    t.after(() => this.stop());
    this.#running = Promise.all(Array.from({ length: clients }, () => this.#askOnAndOn()));
  }

  /** Resolves when so many more answers have come. */
  answers(count: number): Promise<void> {
    const goal = this.#answered + count;
    return new Promise((resolve) => {
      this.#onAnswer = () => {
        if (this.#answered >= goal) resolve();
      };
    });
  }

  /** Stops asking. Resolves with the faults when the last answer has come. */
  async stop(): Promise<readonly string[]> {
    this.#isStopping = true;
    await this.#running;
    return this.faults;
  }

  async #askOnAndOn(): Promise<void> {
    while (!this.#isStopping) {
      try {
        const { status } = await ask({ port: this.#port, ...(this.#agent && { agent: this.#agent }) });
        if (status !== 200) this.faults.push(`status ${status}`);
      } catch (error) {
        this.faults.push(String(error));
      }
      this.#answered++;
      this.#onAnswer();
      if (this.#pauseMs > 0) await delay(this.#pauseMs);
    }
  }
}
