import { nameOfAddress, type RedisAddress } from '../../core/routing/redis-address.ts';
import { candidates } from '../../core/routing/hostname.ts';
import { type UrlRules, USUAL_URLS } from '../../core/routing/url-rules.ts';
import {
  type ListChange,
  type StoredFrontend,
  type StoredCandidates,
  type FrontendPage,
  type CheckerSign,
  type Edit,
  type EditOptions,
  type FieldChanges,
  NO_DEATHS,
  type StoredChecks,
  type StoredValue,
  type FieldsChange,
  type PageOptions,
  type RouteEditor,
  type FieldsHash,
  type MetadataKind,
  type UnknownKeysPage,
} from './route-editor.ts';
import type { Advice } from './advice.ts';
import { RedisAdvice } from './redis-advice.ts';
import { checkList, pathOfKey } from './edit-rules.ts';
import type { StoredCertificate, StoredPair } from '../certificates.ts';
import { holdsHost, spellingsOf } from './key-spellings.ts';
import { hasSharedList } from '../checks.ts';
import { RedisCertificates } from '../redis/certificates.ts';
import { asEditorError, openLink, unlessRefused } from './redis-editor-link.ts';
import { changeFieldsOnOneServer, editOnOneServer } from './redis-edit.ts';
import { changeFieldsInCluster, editInCluster } from './redis-edit-cluster.ts';
import { clearMarks } from './redis-dead-marks.ts';
import { RedisSets } from './redis-sets.ts';
import { LogOfEdit, RedisRouteLog } from './redis-route-log.ts';
import { LOG_KEY, type LogPage, type LogQuery } from './route-log.ts';
import { unknownKeysOf } from './redis-unknown-keys.ts';
import type { FrontendSet, SetChange } from './frontend-set.ts';
import { withDown } from './router-marks.ts';
import { entryOf, lookCommands, lookOf } from './redis-stored-routes.ts';
import type { RedisLink } from '../redis-client/link.ts';
import { RedisSession } from '../redis-client/session.ts';
import { membersAmong, readChecks, readMetadata } from './redis-site-metadata.ts';
import { inAnyCase, literally, type Stretch, walk } from '../redis/walk.ts';
import { withinPage } from '../cursor.ts';
import { readDeaths } from '../redis/trials.ts';

/** Keys read at a time: Redis handles a packet of so many at once. */
const CHUNK = 50;
/** How many near keys a search returns. */
const MAX_NEAR = 100;

/** Edits routes in Redis, in Hipache's layout. Caches nothing. */
export class RedisEditor implements RouteEditor {
  readonly isInMemory = false;
  readonly hasPrefixSets = true;
  readonly name: string;
  readonly writeName: string;
  readonly prefix: string;
  readonly urls: UrlRules;
  readonly advice: Advice;
  readonly #timeoutMs: number;
  readonly #writePrefix: string;
  readonly #read: RedisLink;
  readonly #certificates: RedisCertificates;
  /** In a cluster, edits are single commands, which need no connection of their own. */
  readonly #write: RedisSession | RedisLink;
  readonly #log: RedisRouteLog;
  readonly #sets: RedisSets;

  /**
   * Connects at once.
   * @param timeoutMs limit of one command, or one edit
   * @param by who makes the edits, for the log of changes; null to keep none
   */
  constructor(read: RedisAddress, write: RedisAddress, timeoutMs: number, urls = USUAL_URLS, by: string | null = null) {
    this.name = nameOfAddress(read);
    this.writeName = nameOfAddress(write);
    this.prefix = read.prefix;
    this.urls = urls;
    this.advice = new RedisAdvice(read.prefix, urls);
    this.#timeoutMs = timeoutMs;
    this.#writePrefix = write.prefix;
    this.#read = openLink(read, timeoutMs);
    this.#certificates = new RedisCertificates(this.#read, read.prefix);
    const isCluster = write.place.type === 'cluster';
    this.#write = isCluster ? openLink(write, timeoutMs) : new RedisSession(write, timeoutMs);
    this.#log = new RedisRouteLog(write.prefix, by);
    this.#sets = new RedisSets({
      read: this.#read,
      write: this.#write,
      readPrefix: read.prefix,
      writePrefix: write.prefix,
      log: this.#log,
    });
  }

  async look(keys: readonly string[], host: string): Promise<StoredCandidates> {
    return await asEditorError(this.#look(keys, host));
  }

  async page({ cursor, limit, match }: PageOptions): Promise<FrontendPage> {
    const start = `${this.prefix}frontend:`;
    const pattern = `${literally(start)}${match === '' ? '' : `*${literally(match)}`}*`;
    return await asEditorError(
      (async () => {
        const { keys, next } = await walk(this.#read, pattern, cursor, {
          found: withinPage(limit),
          until: this.#soon(),
        });
        const entries: StoredFrontend[] = [];
        for (let i = 0; i < keys.length; i += CHUNK) {
          const chunk = keys.slice(i, i + CHUNK).map((key) => key.slice(start.length));
          const read = await Promise.all(chunk.map((key) => this.#entry(key)));
          // Keys that were removed since the scan are skipped.
          entries.push(...read.filter((entry) => entry !== null).filter(({ list }) => list.type !== 'none'));
        }
        return { entries, next };
      })(),
    );
  }

  async near(host: string): Promise<readonly string[]> {
    const wildcards = candidates(host).filter((key) => key.startsWith('*'));
    const guesses = [
      ...spellingsOf(host).map((each) => `${this.prefix}frontend:${each}`),
      ...wildcards.map((each) => `${this.prefix}dead:${each}`),
    ];
    return await asEditorError(
      (async () => {
        const replies = await this.#read.sendAll(
          guesses.map((key) => ['type', key] as const),
          this.#read.deadline(),
        );
        const found = new Set(guesses.filter((_, i) => typeof replies[i] === 'string' && replies[i] !== 'none'));
        const limits = { found: MAX_NEAR, until: this.#soon() };
        for (let cursor: string | null = null; found.size < MAX_NEAR && performance.now() < limits.until;) {
          const stretch: Stretch | null = await unlessRefused(walk(this.#read, `*${inAnyCase(host)}*`, cursor, limits));
          for (const key of stretch?.keys ?? []) if (holdsHost(key, host)) found.add(key);
          cursor = stretch?.next ?? null;
          if (cursor === null) break;
        }
        return [...found].slice(0, MAX_NEAR);
      })(),
    );
  }

  async unknownKeys(cursor: string | null, limit: number): Promise<UnknownKeysPage> {
    const { keys, next } = await asEditorError(
      walk(this.#read, '*', cursor, { found: withinPage(limit), until: this.#soon() }),
    );
    return unknownKeysOf(this, keys, next);
  }

  async checker(): Promise<CheckerSign> {
    const commands = [
      ['type', 'hchecker_ping'],
      ['get', 'hchecker_ping'],
    ] as const;
    const [type, ping] = await asEditorError(this.#read.sendAll(commands, this.#read.deadline()));
    // For a user who may not read it, no checker is running: the router sees none either.
    return { type: typeof type === 'string' ? type : 'none', ping: typeof ping === 'string' ? ping : null };
  }

  async checks(key: string): Promise<StoredChecks> {
    return await asEditorError(readChecks(this.#read, this.prefix, key));
  }

  frontendName(key: string): string {
    return `${this.prefix}frontend:${key}`;
  }

  frontendKey(name: string): string | null {
    const start = this.frontendName('');
    return name.startsWith(start) ? name.slice(start.length) : null;
  }

  metadataKey(kind: MetadataKind, key: string): string {
    return `${this.prefix}${kind}:${key}`;
  }

  async sides(kind: MetadataKind, keys: readonly string[]): Promise<readonly StoredValue[]> {
    const names = keys.map((key) => this.metadataKey(kind, key));
    return await asEditorError(readMetadata(this.#read, kind, names));
  }

  async prefixesAmong(key: string, prefixes: readonly string[]): Promise<readonly string[]> {
    return await asEditorError(membersAmong(this.#read, this.metadataKey('prefixes', key), prefixes));
  }

  certificateName(key: string): string {
    return this.#certificates.nameOf(key);
  }

  async certificate(key: string): Promise<StoredCertificate> {
    return await asEditorError(this.#certificates.read(key));
  }

  certificateFiles(): null {
    return null;
  }

  async writeCertificate(key: string, { certificate, key: secret }: Omit<StoredPair, 'type'>): Promise<void> {
    const command = ['hset', `${this.#writePrefix}tls:${key}`, 'certificate', certificate, 'key', secret] as const;
    const write = this.#write;
    const reply =
      write instanceof RedisSession ? write.run((own) => own.send(command)) : write.send(command, write.deadline());
    await asEditorError(reply);
  }

  async replace(key: string, list: readonly string[], options: EditOptions = {}): Promise<ListChange> {
    checkList(list);
    return await this.#edit(key, () => list, { ...options, keepsEnd: false });
  }

  async change(key: string, edit: Edit, options: EditOptions = {}): Promise<ListChange> {
    return await this.#edit(key, edit, { ...options, keepsEnd: true });
  }

  async remove(key: string, options: EditOptions = {}): Promise<ListChange> {
    return await this.#edit(key, () => null, { ...options, keepsEnd: false });
  }

  async changeFields(
    hash: FieldsHash,
    key: string,
    changes: FieldChanges,
    { isForced = false }: EditOptions = {},
  ): Promise<FieldsChange> {
    const name = `${this.#writePrefix}${hash}:${key}`;
    const write = this.#write;
    const log = new LogOfEdit(this.#log, key, hash);
    if (write instanceof RedisSession) return await changeFieldsOnOneServer(write, name, changes, isForced, log);
    return await asEditorError(changeFieldsInCluster(write, name, changes, isForced, log));
  }

  async sets(keys: readonly string[], { isFresh = false } = {}): Promise<readonly FrontendSet[]> {
    return await asEditorError(this.#sets.read(keys, isFresh));
  }

  async writeSets(
    changes: readonly SetChange[],
    { isForced = false, keepsEnd = false }: EditOptions = {},
  ): Promise<readonly boolean[]> {
    return await asEditorError(this.#sets.write(changes, { isForced, keepsEnd }));
  }

  async log(query: LogQuery): Promise<LogPage> {
    return await asEditorError(this.#log.read(this.#read, this.prefix + LOG_KEY, query));
  }

  async clearDead(host: string, urls: readonly string[], url: string | null): Promise<number> {
    return await asEditorError(clearMarks(this.#write, this.#writePrefix, host, urls, url));
  }

  async close(): Promise<void> {
    await Promise.all([this.#read.close(), this.#write.close()]);
  }

  async #edit(key: string, edit: Edit, options: EditOptions & { readonly keepsEnd: boolean }): Promise<ListChange> {
    const before = this.#writePrefix;
    const split = pathOfKey(key);
    const path = split && { set: `${before}prefixes:${split.host}`, prefix: split.prefix };
    const keys = { list: `${before}frontend:${key}`, dead: `${before}dead:${key}`, path };
    const log = new LogOfEdit(this.#log, key, null);
    if (this.#write instanceof RedisSession) return await editOnOneServer(this.#write, keys, edit, options, log);
    return await asEditorError(editInCluster(this.#write, keys, edit, options, log));
  }

  async #look(keys: readonly string[], host: string): Promise<StoredCandidates> {
    const lists = keys.map((key) => `${this.prefix}frontend:${key}`);
    const dead = `${this.prefix}dead:${host}`;
    const trial = `${this.prefix}trial:${host}`;
    const commands = lookCommands(lists, dead, `${this.prefix}marks:${host}`);
    const replies = await this.#read.sendAll([...commands, ['exists', trial]], this.#read.deadline());
    const deaths = replies.at(-1) === 1 ? await readDeaths(this.#read, trial) : NO_DEATHS;
    return lookOf(host, lists, dead, replies.slice(0, -1), deaths);
  }

  /** A frontend with its dead marks; under a wildcard with those of its checks. */
  async #entry(key: string): Promise<StoredFrontend | null> {
    const [look, checks] = await Promise.all([this.#look([key], key), hasSharedList(key) ? this.checks(key) : null]);
    const entry = entryOf(key, look);
    return entry === null || checks === null ? entry : withDown(entry, checks);
  }

  /** The deadline of a search that may be long; callers have a limit, too. */
  #soon(): number {
    return performance.now() + this.#timeoutMs / 2;
  }
}
