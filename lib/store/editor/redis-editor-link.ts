/** How the editor connects to Redis, and which errors its callers get. */
import type { RedisAddress } from '../../core/routing/redis-address.ts';
import { RouterError } from '../../core/errors.ts';
import { EditorError } from '../editor-error.ts';
import { RedisCluster } from '../redis-client/cluster.ts';
import { RedisConnection } from '../redis-client/connection.ts';
import { isReplyError, type RedisLink } from '../redis-client/link.ts';
import { isCommandRefused } from '../redis-client/refusals.ts';
import { refusedBy } from './redis-stored-routes.ts';

/** Connects to the server, or the cluster, of an address. */
export function openLink(address: RedisAddress, timeoutMs: number): RedisLink {
  const settings = {
    address,
    timeoutMs,
    pulse: ['ping'],
    onPulse: () => {},
    onUp: () => {},
    onDown: () => {},
  } as const;
  return address.place.type === 'cluster' ? new RedisCluster(settings) : new RedisConnection(settings);
}

/** Converts errors of a link to EditorErrors. */
export async function asEditorError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RouterError) throw new EditorError('store-unavailable', error.message, { cause: error });
    throw isReplyError(error) ? refusedBy(error) : error;
  }
}

/** Null when this user may not list keys: the result without the search is used. */
export async function unlessRefused<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (isReplyError(error) && isCommandRefused(error)) return null;
    throw error;
  }
}
