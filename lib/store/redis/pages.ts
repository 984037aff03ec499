import { pageFault } from '../pages.ts';
import { isReplyError, type RedisLink, unavailable } from '../redis-client/link.ts';

/** Error pages in Redis: a hash `errors:<key>` with HTML by status. */
export class RedisPages {
  readonly #link: RedisLink;
  readonly #prefix: string;
  readonly #onFault: (key: string, fault: string) => void;

  /** @param prefix precedes `errors:` */
  constructor(link: RedisLink, prefix: string, onFault: (key: string, fault: string) => void) {
    this.#link = link;
    this.#prefix = prefix;
    this.#onFault = onFault;
  }

  /**
   * The page of the first key that has one; null when none has. @throws RouterError `store-unavailable`, within the
   * link's time limit
   */
  async find(keys: readonly string[], status: number): Promise<string | null> {
    // The request has already waited for its route, and does not wait for a page, too.
    if (this.#link.isSilent) throw unavailable('the last command had no reply in time');
    const names = keys.map((key) => `${this.#prefix}errors:${key}`);
    const commands = names.map((name) => ['hget', name, String(status)] as const);
    const replies = await this.#link.sendAll(commands, this.#link.deadline());
    for (const [i, reply] of replies.entries()) {
      if (isReplyError(reply)) this.#onFault(names[i] ?? '', `cannot be read: ${reply.message}`);
      if (typeof reply !== 'string') continue;
      const fault = pageFault(String(status), reply);
      if (fault === null) return reply;
      this.#onFault(names[i] ?? '', `${fault}; it is ignored`);
    }
    return null;
  }
}
