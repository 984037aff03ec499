import { isTimeout, RedisClient } from './client.ts';
import {
  describe,
  isPulseRefused,
  isReplyError,
  PULSE_DOWN_MS,
  PULSE_MS,
  type RedisLink,
  type RedisLinkSettings,
  unavailable,
} from './link.ts';
import { Turn } from '../turn.ts';
import type { RedisCommand } from './protocol.ts';

/**
 * `trying`: it is not known yet whether the server can be reached, at the start and after a lost connection; commands
 * wait for the outcome. `down`: the last attempt failed; commands are rejected at once, and attempts go on.
 */
type State = 'trying' | 'up' | 'down' | 'closed';

/** After so many commands in a row without a reply in time, the connection is replaced. */
const MAX_TIMEOUTS = 3;

/** The server name that `servers` returns. */
const ONLY_SERVER = '';

/** A connection to one server. It reconnects for ever, and detects whether the server replies. */
export class RedisConnection implements RedisLink {
  readonly isOneServer = true;
  readonly #settings: RedisLinkSettings;
  readonly #client: RedisClient;
  #state: State = 'trying';
  /** A command found the connection lost; the client's own event follows. */
  #isLossKnown = false;
  #turn = new Turn();
  readonly #first = this.#turn;
  #cause: Error = new Error('not connected yet');
  #epoch = 0;
  #timeouts = 0;
  #pulseTimer: NodeJS.Timeout | undefined;
  #announced: 'up' | 'down' | null = null;
  /** The epoch that was examined and serves. */
  #serving = -1;
  #downSince: number | null = null;

  constructor(settings: RedisLinkSettings) {
    this.#settings = settings;
    this.#client = new RedisClient(settings.address, settings.timeoutMs, {
      onConnect: () => void this.#connected(),
      onClose: (cause) => this.#lost(cause),
    });
  }

  get epoch(): number {
    return this.#epoch;
  }

  get isSilent(): boolean {
    return this.#timeouts > 0;
  }

  ready(): Promise<void> {
    return this.#first.promise;
  }

  deadline(): number {
    return performance.now() + this.#settings.timeoutMs;
  }

  async send(command: RedisCommand, deadline: number): Promise<unknown> {
    for (let mayRetry = true; ; mayRetry = false) {
      if (this.#state !== 'up') await this.#untilUp(deadline);
      try {
        const reply = await this.#client.send(command, deadline);
        this.#timeouts = 0;
        return reply;
      } catch (error) {
        this.#judge(error, mayRetry);
      }
    }
  }

  async sendAll(commands: readonly RedisCommand[], deadline: number): Promise<readonly unknown[]> {
    for (let mayRetry = true; ; mayRetry = false) {
      if (this.#state !== 'up') await this.#untilUp(deadline);
      try {
        const replies = await this.#client.sendAll(commands, deadline);
        this.#timeouts = 0;
        return replies;
      } catch (error) {
        this.#judge(error, mayRetry);
      }
    }
  }

  async servers(): Promise<readonly string[]> {
    return [ONLY_SERVER];
  }

  async sendAt(server: string, command: RedisCommand, deadline: number): Promise<unknown> {
    if (server !== ONLY_SERVER) throw unavailable('it is a single server, no longer a cluster');
    return await this.send(command, deadline);
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#turn.end();
    clearTimeout(this.#pulseTimer);
    await this.#client.close();
  }

  /** Waits until it is known whether the server can be reached; throws when it cannot. */
  async #untilUp(deadline: number): Promise<void> {
    if (this.#state === 'trying') await this.#turn.endsBy(deadline);
    switch (this.#state) {
      case 'up':
        return;
      case 'trying':
        throw unavailable(`no connection within ${this.#settings.timeoutMs} ms`, this.#cause);
      case 'down':
        throw unavailable(describe(this.#cause), this.#cause);
      case 'closed':
        throw unavailable('the store is closed');
    }
  }

  /** What a failed command tells of the connection. Returns when the command may be sent once more. */
  #judge(error: unknown, mayRetry: boolean): void {
    if (isReplyError(error)) {
      this.#timeouts = 0;
      throw error;
    }
    if (isTimeout(error)) {
      this.#timedOut(error);
      throw unavailable(`no reply within ${this.#settings.timeoutMs} ms`, error);
    }
    this.#doubt();
    if (!mayRetry || this.#state === 'closed') throw unavailable('the connection was lost', error);
  }

  /** The connection is lost: the next attempt to connect shows whether the server is. */
  #doubt(): void {
    if (this.#state !== 'up') return;
    this.#state = 'trying';
    this.#isLossKnown = true;
    this.#turn = new Turn();
  }

  #timedOut(error: Error): void {
    this.#timeouts++;
    if (this.#state === 'up' && this.#timeouts >= MAX_TIMEOUTS) this.#giveUp(error);
  }

  #giveUp(cause: Error): void {
    this.#sink(cause);
    this.#client.reconnect();
  }

  #connected(): Promise<void> {
    this.#epoch++;
    this.#timeouts = 0;
    return this.#beat();
  }

  #lost(cause: Error): void {
    this.#epoch++;
    this.#stopServing();
    clearTimeout(this.#pulseTimer);
    this.#doubt();
    // Without a connection, an attempt has failed.
    if (!this.#isLossKnown) this.#sink(cause);
    this.#isLossKnown = false;
  }

  /** Checks whether the server serves, and schedules the next check. */
  async #beat(): Promise<void> {
    const epoch = this.#epoch;
    let verdict = await this.#ask();
    if ('reply' in verdict && epoch === this.#epoch && this.#serving !== epoch) {
      const fault = await this.#examine();
      if (fault !== null) verdict = { error: fault };
    }
    // Another connection's check has taken over.
    if (epoch !== this.#epoch || this.#state === 'closed') return;
    if ('reply' in verdict) this.#rise(verdict.reply);
    else if (!isTimeout(verdict.error)) this.#sink(verdict.error);
    else if (this.#state === 'up') this.#timedOut(verdict.error);
    else this.#giveUp(verdict.error);
    this.#pulseTimer = setTimeout(() => void this.#beat(), this.#state === 'up' ? PULSE_MS : PULSE_DOWN_MS).unref();
  }

  async #ask(): Promise<{ reply: unknown } | { error: Error }> {
    try {
      return { reply: await this.#client.send(this.#settings.pulse, this.deadline()) };
    } catch (error) {
      if (isPulseRefused(error)) return { reply: null };
      return { error: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  async #examine(): Promise<Error | null> {
    const { examine } = this.#settings;
    if (examine === undefined) return null;
    try {
      return await examine((command) => this.#client.send(command, this.deadline()), this.#downSince);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #stopServing(): void {
    if (this.#serving < 0) return;
    this.#serving = -1;
    this.#downSince = performance.now();
    this.#settings.onLoss?.();
  }

  #rise(reply: unknown): void {
    this.#timeouts = 0;
    this.#settings.onPulse(reply);
    this.#state = 'up';
    this.#isLossKnown = false;
    this.#turn.end();
    if (this.#serving !== this.#epoch) {
      this.#serving = this.#epoch;
      this.#settings.onServing?.();
    }
    if (this.#announced === 'up') return;
    this.#announced = 'up';
    this.#settings.onUp();
  }

  #sink(cause: Error): void {
    if (this.#state === 'closed') return;
    this.#cause = cause;
    this.#state = 'down';
    this.#turn.end();
    if (this.#announced === 'down') return;
    this.#announced = 'down';
    this.#settings.onDown(cause);
  }
}
