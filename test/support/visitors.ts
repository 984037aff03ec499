import { Agent } from 'node:http';
import type { TestContext } from 'node:test';
import { ask } from './client.ts';

/** Between two turns, ms. */
const TURN_MS = 20;

export interface VisitorsOptions {
  /** Where they ask: a router, or the load balancer in front. */
  readonly port: number;
  /** The body of each host's responses is its name. */
  readonly hosts: readonly string[];
  readonly perSecond: number;
}

/** Asks for one host after the other, at a fixed rate, whatever the responses take. Connections are kept. */
export class Visitors {
  /** Requests that failed, by phase. */
  readonly faults: string[] = [];
  /** Requests that were served by the backend of another host. */
  readonly wrong: string[] = [];
  asked = 0;
  /** The longest time from a request to its whole response, ms. */
  slowestMs = 0;
  /** What is happening, for the faults. */
  phase = 'all is well';
  readonly #options: VisitorsOptions;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #under = new Set<Promise<void>>();
  readonly #clock: NodeJS.Timeout;

  constructor(t: TestContext, options: VisitorsOptions) {
    this.#options = options;
    const startedAt = performance.now();
    this.#clock = setInterval(() => {
      // Turns that a busy machine delays are made up for, a few at a time.
      const due = ((performance.now() - startedAt) / 1_000) * options.perSecond - this.asked;
      for (let i = 0; i < Math.min(due, 20); i++) this.#begin();
    }, TURN_MS);
    t.after(() => this.leave());
  }

  /** Asks no more. Resolves when all responses have come. */
  async leave(): Promise<void> {
    clearInterval(this.#clock);
    await Promise.all(this.#under);
    this.#agent.destroy();
  }

  #begin(): void {
    const { hosts } = this.#options;
    const visit = this.#visit(hosts[this.asked++ % hosts.length] ?? '', this.phase);
    this.#under.add(visit);
    void visit.finally(() => this.#under.delete(visit));
  }

  async #visit(host: string, phase: string): Promise<void> {
    const startedAt = performance.now();
    try {
      const { status, body } = await ask({ port: this.#options.port, host, agent: this.#agent });
      if (status !== 200) this.faults.push(`${phase}: ${host}: ${status}`);
      else if (body !== host) this.wrong.push(`${phase}: ${host}: ${body}`);
    } catch (error) {
      this.faults.push(`${phase}: ${host}: ${String(error)}`);
    }
    this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAt);
  }
}
