import { randomBytes } from 'node:crypto';
import { CHECK_BOUNDS, checkRulesOf, USUAL_INTERVAL } from '../../sites/healthcheck.ts';
import { type CheckReport, type CheckSource, type CheckTurn, type DueList, hasSharedList } from '../checks.ts';
import { fieldsOf } from '../fields.ts';
import { MAX_LIST } from '../limits.ts';
import { isReplyError, type RedisLink } from '../redis-client/link.ts';
import type { RedisCommand } from '../redis-client/protocol.ts';
import { isCommandRefused } from '../redis-client/refusals.ts';
import { isTexts } from '../texts.ts';
import { fileReports } from './check-filing.ts';
import { walkForChecks } from './check-walk.ts';
import { isFresh } from './codec.ts';
import { flatOf } from './site-metadata.ts';

/** After a walk that failed, ms. */
const RETRY_MS = 3_000;
/** How many lists a router schedules. */
const MAX_LISTS = 20_000;
/** How many leases are tried for each list that a turn may take: others have most of them. */
const TRIES = 10;

const NOTHING: CheckTurn = { outcomes: [], due: [], lists: 0, isPaused: false, off: null };

/** When a list is due for this router, `performance.now()` ms, and its interval as far as is known. */
interface Scheduled {
  at: number;
  intervalMs: number;
}

/**
 * Active checks by plain commands: in a cluster, and where Redis refuses scripts. Each router has a schedule of its own. The
 * lease `checking:<key>`, which lasts one interval, gives a list to one of them.
 */
export class PlainChecks implements CheckSource {
  readonly #link: RedisLink;
  readonly #prefix: string;
  /** The value of leases, for operators. */
  readonly #name = randomBytes(6).toString('hex');
  readonly #over = new AbortController();
  readonly #lists = new Map<string, Scheduled>();
  #walkAt = -Infinity;
  #isWalking = false;
  /** Why keys cannot be listed; null when they can. */
  #walkRefusal: string | null = null;

  /** @param link to the server that takes writes, or the cluster @param prefix of all keys */
  constructor(link: RedisLink, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
  }

  async turn(reports: readonly CheckReport[], max: number): Promise<CheckTurn> {
    const [ping] = await this.#link.sendAll([['get', 'hchecker_ping']], this.#link.deadline());
    if (isFresh(ping, Date.now())) return { ...NOTHING, isPaused: true };
    const { outcomes, refusal } = await fileReports(this.#link, this.#prefix, reports);
    if (performance.now() >= this.#walkAt) void this.#walk();
    const taken = await this.#take(max);
    const off = this.#walkRefusal ?? refusal ?? taken.refusal;
    return { outcomes, due: taken.due, lists: this.#lists.size, isPaused: false, off };
  }

  close(): void {
    this.#over.abort();
    this.#lists.clear();
  }

  /** Schedules all lists with a hash `healthcheck:`. Never rejects: another walk follows. */
  async #walk(): Promise<void> {
    if (this.#isWalking) return;
    this.#isWalking = true;
    this.#walkAt = performance.now() + RETRY_MS;
    try {
      const nextMs = await walkForChecks(this.#link, this.#prefix, this.#over.signal, (keys) => this.#schedule(keys));
      this.#walkAt = performance.now() + nextMs;
      this.#walkRefusal = null;
    } catch (error) {
      // Else Redis does not reply, or the router ends.
      if (isReplyError(error) && isCommandRefused(error)) this.#walkRefusal = error.message;
    }
    this.#isWalking = false;
  }

  #schedule(keys: readonly string[]): void {
    if (this.#over.signal.aborted) return;
    for (const key of keys) {
      if (this.#lists.size >= MAX_LISTS) return;
      if (!this.#lists.has(key)) this.#lists.set(key, { at: 0, intervalMs: USUAL_INTERVAL * 1000 });
    }
  }

  /** Takes the leases of lists that are due, and reads those lists. */
  async #take(max: number): Promise<{ readonly due: readonly DueList[]; readonly refusal: string | null }> {
    const { keys, refusal } = await this.#lease(this.#dueKeys(max * TRIES), max);
    if (keys.length === 0) return { due: [], refusal };
    const commands = keys.map((key) => this.#readCommands(key));
    const replies = await this.#link.sendAll(commands.flat(), this.#link.deadline());
    const due: DueList[] = [];
    const chores: RedisCommand[] = [];
    let denied = refusal;
    for (const [i, key] of keys.entries()) {
      const own = replies.slice(i * READ_WIDTH, (i + 1) * READ_WIDTH);
      denied ??= refusalIn(own);
      const list = this.#listOf(key, own, chores);
      if (list !== null) due.push(list);
    }
    // What they forget is found again the next time.
    if (chores.length > 0) await this.#link.sendAll(chores, this.#link.deadline());
    return { due, refusal: denied };
  }

  #dueKeys(most: number): readonly string[] {
    const now = performance.now();
    const keys: string[] = [];
    for (const [key, { at }] of this.#lists) {
      if (keys.length >= most) break;
      if (at <= now) keys.push(key);
    }
    return keys;
  }

  /** The leases that this router gets, of at most so many lists. The others are due when their leases end. */
  async #lease(keys: readonly string[], max: number) {
    const taken: string[] = [];
    let refusal: string | null = null;
    let rest = keys;
    for (let round = 0; round < TRIES && rest.length > 0 && taken.length < max && refusal === null; round++) {
      const some = rest.slice(0, max - taken.length);
      rest = rest.slice(some.length);
      const replies = await this.#link.sendAll(
        some.flatMap((key) => this.#leaseCommands(key)),
        this.#link.deadline(),
      );
      const now = performance.now();
      for (const [j, key] of some.entries()) {
        const [reply, left] = replies.slice(2 * j, 2 * j + 2);
        refusal ??= refusalIn([reply, left]);
        const scheduled = this.#lists.get(key);
        if (scheduled === undefined) continue;
        if (reply === 'OK') taken.push(key);
        // A key without a time limit is none of a router.
        else scheduled.at = now + (typeof left === 'number' && left >= 0 ? left : scheduled.intervalMs);
      }
    }
    return { keys: taken, refusal };
  }

  #leaseCommands(key: string): readonly RedisCommand[] {
    const name = this.#keyOf('checking', key);
    const ms = String(this.#lists.get(key)?.intervalMs ?? USUAL_INTERVAL * 1000);
    return [
      ['set', name, this.#name, 'px', ms, 'nx'],
      ['pttl', name],
    ];
  }

  #readCommands(key: string): readonly RedisCommand[] {
    return [
      ['hgetall', this.#keyOf('healthcheck', key)],
      ['lrange', this.#keyOf('frontend', key), '0', String(MAX_LIST)],
      ['hgetall', this.#keyOf('check', key)],
      ['smembers', this.#keyOf('dead', key)],
      ['hgetall', this.#keyOf('marks', key)],
      ['smembers', this.#keyOf('down', key)],
      ['smembers', this.#keyOf('checked', key)],
    ];
  }

  /**
   * A list that was taken, and when it is due again. Null when nothing is to be checked.
   * @param chores gets commands that remove what is known of URLs that have left the list
   */
  #listOf(key: string, replies: readonly unknown[], chores: RedisCommand[]): DueList | null {
    const [hash, elements, results, dead, marks, down, checked] = replies;
    if (isReplyError(hash)) return null;
    const fields = fieldsOf(flatOf(hash));
    if (fields.size === 0) {
      this.#lists.delete(key);
      return null;
    }
    const { intervalMs, first } = checkRulesOf(fields);
    const scheduled = this.#lists.get(key);
    if (scheduled !== undefined) {
      if (scheduled.intervalMs !== intervalMs) {
        chores.push(['pexpire', this.#keyOf('checking', key), String(intervalMs)]);
        scheduled.intervalMs = intervalMs;
      }
      scheduled.at = performance.now() + intervalMs;
    }
    const list = isTexts(elements) ? elements : [];
    if (list.length < 2 || fields.size > CHECK_BOUNDS.fields) return null;
    const known = fieldsOf(flatOf(results));
    const urls = new Set(list.slice(1).map((url) => url.trim()));
    const gone = (members: unknown): readonly string[] =>
      isTexts(members) ? members.filter((url) => !urls.has(url)) : [];
    chores.push(...removal('hdel', this.#keyOf('check', key), gone([...known.keys()])));
    chores.push(...removal('srem', this.#keyOf('down', key), gone(down)));
    if (first) chores.push(...removal('srem', this.#keyOf('checked', key), gone(checked)));
    else if (isTexts(checked) && checked.length > 0) chores.push(['pexpire', this.#keyOf('checked', key), '0']);
    const isShared = hasSharedList(key);
    return {
      key,
      fields,
      list,
      dead: !isShared && isTexts(dead) ? dead : [],
      marks: isShared ? [] : flatOf(marks),
      down: isShared && isTexts(down) ? down : [],
      results: known,
    };
  }

  #keyOf(kind: string, key: string): string {
    return `${this.#prefix}${kind}:${key}`;
  }
}

/** The number of `#readCommands`. */
const READ_WIDTH = 7;

function removal(command: 'hdel' | 'srem', name: string, members: readonly string[]): readonly RedisCommand[] {
  return members.length === 0 ? [] : [[command, name, ...members]];
}

/** Why this user may not do what checks need; null when nothing was refused. Keys of another type are none of that. */
function refusalIn(replies: readonly unknown[]): string | null {
  return replies.filter(isReplyError).find(isCommandRefused)?.message ?? null;
}
