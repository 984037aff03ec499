import { RouterError } from '../../core/errors.ts';
import { cutsOf, MAX_PREFIX, pathOf } from '../../core/routing/prefixes.ts';
import { MAX_LIST, MAX_NAMES } from '../limits.ts';
import {
  type SiteMetadata,
  siteMetadataCommands,
  flatOf,
  hitOfPipeline,
  type SiteMetadataReplies,
  metadataOf,
  NO_HASHES,
  underCommands,
} from './site-metadata.ts';
import {
  type Found,
  lookedOfScript,
  type Looked,
  type Lookup,
  lookupCommands,
  lookupOfPipeline,
  repliesOfScript,
} from './codec.ts';
import { evaluate } from '../redis-client/script.ts';
import { isReplyError, type RedisLink } from '../redis-client/link.ts';
import type { RedisCommand } from '../redis-client/protocol.ts';
import { isScriptRefused } from '../redis-client/refusals.ts';
import { CHECK_SETS, checkedOf, checkSetCommands } from './check-sets.ts';
import { LOOKUP } from './lookup-script.ts';
import { readRecords } from './trials.ts';
import type { StoreCounts } from '../store-counts.ts';

/** Hosts per run of the script, during which Redis does nothing else. */
const MAX_BATCH = 64;
/** How much of a path is sent: enough to tell whether a prefix matches. */
const MAX_PATH = MAX_PREFIX.length + 2;

/** Whether Redis refuses for lack of the user's permissions. */
export function isNoRight(message: string): boolean {
  return /\bNOPERM\b|\bpermissions?\b/i.test(message);
}

/** The script may read lists, but not the keys that belong to them. */
class ScriptShut extends Error {}

/** The lookup of a request. */
export interface Question {
  /** Keys of frontends, most specific first; the first is the host. */
  readonly candidates: readonly string[];
  /** As sent. */
  readonly path: string;
}

/** Settings that all lookups share. */
export interface LookupSettings {
  /** The prefix of all keys. */
  readonly prefix: string;
  /** Whether lookups return when their keys expire. */
  readonly wantsExpiry: boolean;
  /** Whether lookups return all of a host's prefixes. */
  readonly wantsNames: boolean;
}

/** A lookup whose reply is awaited. */
interface Waiting {
  readonly question: Question;
  readonly resolve: (looked: Looked) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads hosts' keys. The lookups of one turn of the event loop are sent together: as one command where scripts run,
 * else as one packet.
 */
export class RedisLookups {
  readonly #link: RedisLink;
  readonly #settings: LookupSettings;
  readonly #counts: StoreCounts;
  #waiting: Waiting[] = [];
  /** The connection on which scripts were refused. */
  #scriptless = -1;

  constructor(link: RedisLink, settings: LookupSettings, counts: StoreCounts) {
    this.#link = link;
    this.#settings = settings;
    this.#counts = counts;
  }

  /**
   * The content of the first candidate's key that counts, and what belongs to it.
   * @throws RouterError `store-unavailable`, within the link's time limit
   */
  look(question: Question): Promise<Looked> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const deadline = this.#link.deadline();
    for (let i = 0; i < waiting.length; i += MAX_BATCH) {
      const batch = waiting.length <= MAX_BATCH ? waiting : waiting.slice(i, i + MAX_BATCH);
      void this.#answer(batch, deadline);
    }
  }

  /** Settles all of the batch. Never rejects. */
  async #answer(batch: readonly Waiting[], deadline: number): Promise<void> {
    const { epoch, isOneServer } = this.#link;
    if (!isOneServer || this.#scriptless === epoch) return this.#answerWithoutScript(batch, deadline);
    const askedAt = performance.now();
    try {
      const replies = await this.#runScript(batch, deadline);
      this.#counts.answered(performance.now() - askedAt, batch.length);
      for (const [i, { resolve, reject }] of batch.entries()) {
        try {
          const looked = lookedOfScript(replies[i]);
          // Without permission for these keys only the lists are used; the reader of the result reports that.
          const shut = looked.beside?.shut ?? null;
          if (shut !== null && !isNoRight(shut)) throw new ScriptShut(shut);
          resolve(looked);
        } catch (error) {
          if (error instanceof ScriptShut) {
            // The server refuses keys that were not declared.
            this.#scriptless = epoch;
            this.#answerWithoutScript(batch.slice(i), deadline);
            return;
          }
          this.#counts.errors++;
          reject(error instanceof RouterError ? error : refused(error));
        }
      }
    } catch (error) {
      if (isReplyError(error) && isScriptRefused(error)) {
        this.#scriptless = epoch;
        this.#answerWithoutScript(batch, deadline);
        return;
      }
      this.#counts.errors += batch.length;
      for (const { reject } of batch) reject(isReplyError(error) ? refused(error) : error);
    }
  }

  #answerWithoutScript(batch: readonly Waiting[], deadline: number): void {
    for (const { question, resolve, reject } of batch) this.#readOne(question, deadline).then(resolve, reject);
  }

  async #readOne({ candidates, path }: Question, deadline: number): Promise<Looked> {
    const { prefix, wantsExpiry } = this.#settings;
    const askedAt = performance.now();
    try {
      const lists = lookupCommands(keysOf(prefix, candidates), wantsExpiry);
      const [host = ''] = candidates;
      const beside = siteMetadataCommands(prefix, candidates);
      const checks = candidates.flatMap((key) => checkSetCommands(prefix, key));
      const commands = [...lists, ...beside, ...checks, this.#askForRecords(host)];
      const replies = await this.#link.sendAll(commands, deadline);
      const read = lookupOfPipeline(replies.slice(0, lists.length), wantsExpiry);
      const hasRecords = !this.#link.isOneServer && replies.at(-1) === 1;
      const [besideEnd, checksEnd] = [lists.length + beside.length, commands.length - 1];
      const sets = replies.slice(besideEnd, checksEnd);
      const own =
        read.type === 'found' ? await this.#withMarks(withSets(read, sets), host, hasRecords, deadline) : read;
      const sides = metadataOf(prefix, candidates, replies.slice(lists.length, besideEnd));
      const found = await this.#readBeside(own, sides, candidates, path, deadline);
      this.#counts.answered(performance.now() - askedAt, 1);
      return { own, beside: found };
    } catch (error) {
      this.#counts.errors++;
      throw isReplyError(error) ? refused(error) : error;
    }
  }

  async #readBeside(
    own: Lookup,
    { all, hashes, sizes, faults, shut }: SiteMetadataReplies,
    candidates: readonly string[],
    path: string,
    deadline: number,
  ): Promise<SiteMetadata> {
    const { prefix } = this.#settings;
    // If all lists have only identifiers, all candidates were read.
    const isBare = own.type === 'none' || (own.type === 'found' && own.list.length === 1);
    const last = isBare ? candidates.length - 1 : own.index;
    const paths = sizes.findIndex((size, i) => size > 0 && i <= last);
    const ofHost = (own.type === 'found' ? hashes[own.index] : undefined) ?? NO_HASHES;
    // Expiry is not requested here: in push mode the server reports expired keys.
    const beside = { paths, names: null, hit: null, missing: [], all, host: ofHost, faults, leftMs: -1, shut };
    const key = candidates[paths];
    if (key === undefined) return beside;
    const [host = ''] = candidates;
    const under = underCommands(prefix, key, host, path);
    const cuts = cutsOf(pathOf(path));
    const records = cuts.map((cut) => this.#askForRecords(host + cut));
    const checks = cuts.flatMap((cut) => checkSetCommands(prefix, key + cut));
    const replies = await this.#link.sendAll([...under, ...records, ...checks], deadline);
    const { hit, missing } = hitOfPipeline(path, replies, hashes[paths] ?? NO_HASHES);
    if (hit?.type !== 'found') return { ...beside, hit, missing };
    const at = cuts.indexOf(hit.prefix);
    const hasRecords = !this.#link.isOneServer && replies[under.length + at] === 1;
    const sets = replies.slice(under.length + records.length + CHECK_SETS * at);
    const checked = { ...hit, ...checkedOf(hit.list, sets, key !== host) };
    return { ...beside, hit: await this.#withMarks(checked, host + hit.prefix, hasRecords, deadline), missing };
  }

  /**
   * Reads the URLs of routers' marks, if there are marks. Without permission for that, all marks count. In a cluster, reads
   * the records of deaths, too; where scripts are refused, none are made.
   * @param hasRecords whether there are records
   */
  async #withMarks<T extends Pick<Found, 'dead' | 'marks' | 'records'>>(
    found: T,
    frontend: string,
    hasRecords: boolean,
    deadline: number,
  ): Promise<T> {
    const { prefix } = this.#settings;
    const hasDead = typeof found.dead !== 'string' && found.dead.length > 0;
    if (!hasDead && !hasRecords) return found;
    const marked = hasDead ? this.#link.sendAll([['hgetall', `${prefix}marks:${frontend}`]], deadline) : [];
    const recorded = hasRecords ? readRecords(this.#link, `${prefix}trial:${frontend}`, deadline).catch(() => []) : [];
    const [[marks], records] = await Promise.all([marked, recorded]);
    return { ...found, marks: flatOf(marks), records };
  }

  #askForRecords(frontend: string): RedisCommand {
    return ['exists', `${this.#settings.prefix}trial:${frontend}`];
  }

  async #runScript(batch: readonly Waiting[], deadline: number): Promise<readonly unknown[]> {
    const { prefix, wantsExpiry, wantsNames } = this.#settings;
    const keys: string[] = [];
    const hosts: string[] = [];
    for (const { question } of batch) {
      const own = keysOf(prefix, question.candidates);
      keys.push(...own);
      hosts.push(String(own.length), pathOf(question.path).slice(0, MAX_PATH));
    }
    const wishes = [String(MAX_LIST), wantsExpiry ? 'ttl' : '', wantsNames ? String(MAX_NAMES) : '0', prefix];
    const args = [String(keys.length), ...keys, ...wishes, ...hosts];
    return repliesOfScript(await evaluate(this.#link, LOOKUP, args, deadline), batch.length);
  }
}

/** An error reply about the server itself: it is loading its data, out of memory, or a permission is missing. */
export function refused(error: unknown): RouterError {
  const said = error instanceof Error ? error.message : String(error);
  return new RouterError('store-unavailable', `Redis does not serve: ${said}`, { cause: error });
}

/** The list with what its checks have shown. @param sets the replies to `checkSetCommands` of all candidates */
function withSets(read: Found, sets: readonly unknown[]): Found {
  return { ...read, ...checkedOf(read.list, sets.slice(CHECK_SETS * read.index), read.index > 0) };
}

/** The candidates' keys, then the host's dead set. */
function keysOf(prefix: string, candidates: readonly string[]): readonly string[] {
  return [...candidates.map((key) => `${prefix}frontend:${key}`), `${prefix}dead:${candidates[0] ?? ''}`];
}
