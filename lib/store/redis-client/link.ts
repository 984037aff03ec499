import { RouterError } from '../../core/errors.ts';
import type { RedisAddress } from '../../core/routing/redis-address.ts';
import { isCommandRefused } from './refusals.ts';
import type { RedisCommand } from './protocol.ts';

/** Settings and callbacks of a link. */
export interface RedisLinkSettings {
  readonly address: RedisAddress;
  /** Every command has its reply or is rejected within this time. */
  readonly timeoutMs: number;
  /** Sent on each new connection and every few seconds; its reply shows that Redis serves. */
  readonly pulse: RedisCommand;
  /** Called with the reply; null when the server refused the command, which only a serving one does. */
  readonly onPulse: (reply: unknown) => void;
  /**
   * Called on each new connection to a server before it serves. Returns why the server must not be used although it
   * replies, or null. `ask` rejects as `send` does. `downSince`: when the last connection was lost, `performance.now()`
   * ms; null at first. Not called for the nodes of a cluster.
   */
  readonly examine?: ((ask: Ask, downSince: number | null) => Promise<Error | null>) | undefined;
  /** Called when a new connection to a server serves. Not for the nodes of a cluster. */
  readonly onServing?: () => void;
  /** Called when the connection was lost or replaced. */
  readonly onLoss?: () => void;
  readonly onUp: () => void;
  readonly onDown: (cause: Error) => void;
}

/** Sends a command on a connection that does not serve yet. */
export type Ask = (command: RedisCommand) => Promise<unknown>;

/** The way to one server, or to a cluster. It reconnects for ever, and detects whether Redis replies. */
export interface RedisLink {
  /** Changes with every connection: what is known of the server on one need not hold on the next. */
  readonly epoch: number;
  /** Whether one script may read several keys, and several commands be one transaction. */
  readonly isOneServer: boolean;
  /** Whether the last command had no reply within its time limit, and none has come since. Never of a cluster. */
  readonly isSilent: boolean;
  /** Resolves when the first attempt to connect has ended, either way. */
  ready(): Promise<void>;
  /** When a task that starts now must be done, `performance.now()` ms. */
  deadline(): number;
  /**
   * Sends a command. It may reach a server twice, when the connection is lost before the reply.
   * @throws RouterError `store-unavailable`, by the deadline; or Redis' error reply (see `isReplyError`)
   */
  send(command: RedisCommand, deadline: number): Promise<unknown>;
  /**
   * Sends commands together. They may reach a server twice.
   * @returns the replies in order, error replies included
   * @throws RouterError `store-unavailable`, by the deadline
   */
  sendAll(commands: readonly RedisCommand[], deadline: number): Promise<readonly unknown[]>;
  /**
   * The names of the servers that keys are spread over: one, or the masters of a cluster.
   * @throws RouterError `store-unavailable`, by the deadline
   */
  servers(deadline: number): Promise<readonly string[]>;
  /**
   * Sends a command about no key, such as SCAN, to one of them. Fails as `send`, and when the server is none of them
   * any more.
   */
  sendAt(server: string, command: RedisCommand, deadline: number): Promise<unknown>;
  /** Frees sockets and timers; commands in flight are rejected. Idempotent. */
  close(): Promise<void>;
}

/** Between two checks of a Redis that serves, ms. */
export const PULSE_MS = 5000;
/** Between two checks of one that is connected but does not serve, ms: it may be loading its data. */
export const PULSE_DOWN_MS = 250;

/** Whether this is an error reply of Redis: the connection works. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Whether this reply to the pulse refuses only the command: Redis serves. */
export function isPulseRefused(error: unknown): boolean {
  return isReplyError(error) && (error.message.startsWith('WRONGTYPE') || isCommandRefused(error));
}

/** The error of a command when Redis cannot be used. */
export function unavailable(reason: string, cause?: unknown): RouterError {
  return new RouterError('store-unavailable', `Redis does not serve: ${reason}`, { cause });
}

/** The AggregateError of a host with two addresses has no message, and ioredis' message for a timeout is vague. */
export function describe(error: Error): string {
  if (error.message === 'Command timed out') return 'no reply in time';
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}
