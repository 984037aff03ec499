/** Redis' commands, and what can be read from any of its replies. */
import { EditorError } from '../editor-error.ts';

/** A command's name in lower case, then its arguments. */
export type RedisCommand = readonly [name: string, ...args: string[]];

/** The run id in a reply to `INFO server`; null when it has none. */
export function runIdOf(info: unknown): string | null {
  return typeof info === 'string' ? (/^run_id:(\w+)/m.exec(info)?.[1] ?? null) : null;
}

/** The error for an invalid reply. */
export function notUnderstood(reply: unknown): EditorError {
  const shown = (JSON.stringify(reply) ?? 'nothing').slice(0, 200);
  return new EditorError('store-unavailable', `Redis sent a reply that cannot be read: ${shown}`);
}
