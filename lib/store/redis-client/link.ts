import { RouterError } from '../../core/errors.ts';
import type { RedisAddress } from '../../core/routing/redis-address.ts';
import { isCommandRefused } from './refusals.ts';
import type { RedisCommand } from './protocol.ts';

/** What a link is made of, and whom it tells. */
export interface RedisLinkSettings {
  readonly address: RedisAddress;
  /** Within it every command is answered or rejected. */
  readonly timeoutMs: number;
  /** Sent on each new connection and every few seconds: its answer shows that Redis serves. */
  readonly pulse: RedisCommand;
  /** Told the answer; null when the server refused this command, which only one that serves would do. */
  readonly onPulse: (reply: unknown) => void;
  /**
   * Asked on each new connection to a server, before it serves: why it must not be used although it answers, or null.
   * `ask` rejects as `send` does. `downSince`: since when nobody has answered, `performance.now()` ms; null at first.
   * Not asked for the nodes of a cluster.
   */
  readonly examine?: ((ask: Ask, downSince: number | null) => Promise<Error | null>) | undefined;
  /** A new connection to a server serves. Not told of the nodes of a cluster. */
  readonly onServing?: () => void;
  /** It was lost, or is given up. */
  readonly onLoss?: () => void;
  readonly onUp: () => void;
  readonly onDown: (cause: Error) => void;
}

/** Sends a command on a connection that does not serve yet. */
export type Ask = (command: RedisCommand) => Promise<unknown>;

/** The way to one server, or to a cluster. It mends itself for ever, and knows whether Redis is worth asking. */
export interface RedisLink {
  /** Changes with every connection: what was learnt of the server on one need not hold on the next. */
  readonly epoch: number;
  /** Whether one script may read several keys, and several commands be one transaction. */
  readonly isOneServer: boolean;
  /** Whether the last command had no reply within its time limit, and none has come since. Never of a cluster. */
  readonly isSilent: boolean;
  /** Resolves when the first attempt to connect has ended, either way. */
  ready(): Promise<void>;
  /** When a task that starts now must be done, in `performance.now()` milliseconds. */
  deadline(): number;
  /**
   * Sends a command. It may reach a server twice, when the connection is lost before the answer.
   * @throws RouterError `store-unavailable`, by the deadline; or the error that Redis replied (see `isReplyError`)
   */
  send(command: RedisCommand, deadline: number): Promise<unknown>;
  /**
   * Sends commands together. They may reach a server twice.
   * @returns the replies in order; an error that Redis replied stands in its place
   * @throws RouterError `store-unavailable`, by the deadline
   */
  sendAll(commands: readonly RedisCommand[], deadline: number): Promise<readonly unknown[]>;
  /**
   * The servers that keys are spread over, by name: one, or the masters of a cluster.
   * @throws RouterError `store-unavailable`, by the deadline
   */
  servers(deadline: number): Promise<readonly string[]>;
  /** Sends a command about no key, such as SCAN, to one of them. Fails as `send` does, and when it is none any more. */
  sendAt(server: string, command: RedisCommand, deadline: number): Promise<unknown>;
  /** Frees sockets and timers; commands in flight are rejected. Idempotent. */
  close(): Promise<void>;
}

/** Between two questions to a Redis that serves. */
export const PULSE_MS = 5000;
/** Between two questions to one that is there and does not serve: it may be loading its data. */
export const PULSE_DOWN_MS = 250;

/** Whether Redis itself replied this error: the connection is well. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Whether this answer to the pulse refuses the command alone: Redis serves. */
export function isPulseRefused(error: unknown): boolean {
  return isReplyError(error) && (error.message.startsWith('WRONGTYPE') || isCommandRefused(error));
}

/** What a command fails with when Redis cannot be asked. */
export function unavailable(reason: string, cause?: unknown): RouterError {
  return new RouterError('store-unavailable', `Redis does not serve: ${reason}`, { cause });
}

/** An AggregateError of a host with two addresses has no message; ioredis' own words for a timeout tell little. */
export function describe(error: Error): string {
  if (error.message === 'Command timed out') return 'no answer in time';
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}
