import { isReplyError, type RedisLink, unavailable } from '../redis-client/link.ts';

/** The hash with the secrets that all routers of a Redis share. Keep it from other users of that Redis. */
export const SECRETS = 'secrets';
/** Its field for the cookies of the option `sticky`. */
const STICKY = 'sticky';
/** What an operator may have put there; the routers' own have 43 characters. */
const USABLE = /^[!-~]{32,200}$/;

/** The secret of sticky cookies in Redis: the first router that needs it makes it. */
export class RedisSecrets {
  readonly #read: RedisLink;
  readonly #write: RedisLink;
  readonly #keys: { readonly read: string; readonly write: string };

  /** @param prefixes precede `secrets` */
  constructor(read: RedisLink, write: RedisLink, prefixes: { readonly read: string; readonly write: string }) {
    this.#read = read;
    this.#write = write;
    this.#keys = { read: prefixes.read + SECRETS, write: prefixes.write + SECRETS };
  }

  /**
   * The secret of all routers.
   * @param own what it becomes if there is none
   * @returns null when Redis refuses both to tell and to keep one, or has an unusable one
   * @throws RouterError `store-unavailable`, within the link's time limit
   */
  async sticky(own: string): Promise<string | null> {
    const known = await ask(this.#read, ['hget', this.#keys.read, STICKY]);
    if (typeof known === 'string') return USABLE.test(known) ? known : null;
    await ask(this.#write, ['hsetnx', this.#keys.write, STICKY, own]);
    const kept = await ask(this.#write, ['hget', this.#keys.write, STICKY]);
    return typeof kept === 'string' && USABLE.test(kept) ? kept : null;
  }
}

/** The reply; null where Redis refuses the command. */
async function ask(link: RedisLink, command: readonly [string, ...string[]]): Promise<unknown> {
  try {
    return await link.send(command, link.deadline());
  } catch (error) {
    if (!isReplyError(error)) throw error;
    // A server that is starting refuses everything, and will not for long.
    if (/^(?:LOADING|MASTERDOWN|CLUSTERDOWN|BUSY)\b/.test(error.message)) throw unavailable(error.message, error);
    return null;
  }
}
