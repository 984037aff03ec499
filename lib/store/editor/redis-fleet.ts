import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { RouterError } from '../../core/errors.ts';
import type { RedisAddress } from '../../core/routing/redis-address.ts';
import { EditorError } from '../editor-error.ts';
import { type Announcement, type Fleet, GONE_MS, readBeat, type SeenBeat } from '../fleet.ts';
import { memberOf } from '../redis/heartbeats.ts';
import { RedisCluster } from '../redis-client/cluster.ts';
import { RedisConnection } from '../redis-client/connection.ts';
import { isReplyError, type RedisLink } from '../redis-client/link.ts';
import { notUnderstood } from '../redis-client/protocol.ts';
import { evaluate, scriptOf } from '../redis-client/script.ts';
import { isTexts } from '../texts.ts';
import { refusedBy } from './redis-stored-routes.ts';

/** How long an announcement counts that is not repeated, ms: then its deploy was killed. */
const KEEP_MS = 15_000;
/** How many deploys may be under way in a store. */
const MAX_DEPLOYS = 100;

/** Reads the heartbeats. KEYS: `routers`. Returns the time of Redis, ms, then workers and their heartbeats in turn. */
const READ = scriptOf(`
local time = redis.call('TIME')
local reply = redis.call('HGETALL', KEYS[1])
table.insert(reply, 1, string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)))
return reply
`);

/**
 * Writes an announcement, unless it is another deploy's. KEYS: `epoch:<key>`. ARGV: the owner, the announcement, and for how long
 * it is kept, ms. Returns the other owner, or an empty text.
 */
const ANNOUNCE = scriptOf(`
local owner = string.match(redis.call('GET', KEYS[1]) or '', '^([^\\n]*)')
if owner ~= '' and owner ~= ARGV[1] then return owner end
redis.call('SET', KEYS[1], ARGV[1] .. '\\n' .. ARGV[2], 'PX', ARGV[3])
return ''
`);

/**
 * Lists an announcement. KEYS: `epochs`. ARGV: its member, the former member of the deploy or an empty text, and for how long it
 * is kept, ms. Returns 0 where there are too many.
 */
const LIST = scriptOf(`
-- Before Redis 5, a script that asks for the time may not write without it.
if redis.replicate_commands then redis.replicate_commands() end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
if ARGV[2] ~= '' then redis.call('ZREM', KEYS[1], ARGV[2]) end
if redis.call('ZCARD', KEYS[1]) >= ${MAX_DEPLOYS} then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[3])), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`);

/** Removes an announcement of this owner. KEYS: `epoch:<key>`. ARGV: the owner. */
const WITHDRAW = scriptOf(`
local owner = string.match(redis.call('GET', KEYS[1]) or '', '^([^\\n]*)')
if owner == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`);

/** The routers of a Redis, by the heartbeats of their workers. */
export class RedisFleet implements Fleet {
  readonly #link: RedisLink;
  readonly #prefix: string;
  /** Identifies this process among those that deploy. */
  readonly #owner = `process ${process.pid} on ${hostname()} (${randomBytes(4).toString('hex')})`;
  /** The members of `epochs`, by frontend. */
  readonly #listed = new Map<string, string>();

  /** Connects at once. @param address of the server that takes writes @param timeoutMs limit of one command */
  constructor(address: RedisAddress, timeoutMs: number) {
    const quiet = { onPulse: () => {}, onUp: () => {}, onDown: () => {} };
    const settings = { address, timeoutMs, pulse: ['ping'] as const, ...quiet };
    this.#link = address.place.type === 'cluster' ? new RedisCluster(settings) : new RedisConnection(settings);
    this.#prefix = address.prefix;
  }

  async beats(): Promise<readonly SeenBeat[]> {
    return await asEditorError(async () => {
      const reply = await evaluate(this.#link, READ, ['1', `${this.#prefix}routers`], this.#link.deadline());
      if (!isTexts(reply)) throw notUnderstood(reply);
      const [now, ...flat] = reply;
      return seenIn(flat, Number(now));
    });
  }

  async announce(announcement: Announcement): Promise<void> {
    const { key } = announcement;
    const text = JSON.stringify(announcement);
    await asEditorError(async () => {
      const args = ['1', `${this.#prefix}epoch:${key}`, this.#owner, text, String(KEEP_MS)];
      const other = await evaluate(this.#link, ANNOUNCE, args, this.#link.deadline());
      if (other !== '') throw new EditorError('busy', `${key} is being deployed already, by ${String(other)}`);
      const member = memberOf(announcement);
      const former = this.#listed.get(key) ?? '';
      const listed = ['1', `${this.#prefix}epochs`, member, former === member ? '' : former, String(KEEP_MS)];
      if ((await evaluate(this.#link, LIST, listed, this.#link.deadline())) !== 1) {
        throw new EditorError('busy', `${MAX_DEPLOYS} deploys are under way already`);
      }
      this.#listed.set(key, member);
    });
  }

  async withdraw(key: string): Promise<void> {
    const member = this.#listed.get(key);
    if (member === undefined) return;
    this.#listed.delete(key);
    await asEditorError(async () => {
      await this.#link.send(['zrem', `${this.#prefix}epochs`, member], this.#link.deadline());
      const args = ['1', `${this.#prefix}epoch:${key}`, this.#owner];
      await evaluate(this.#link, WITHDRAW, args, this.#link.deadline());
    });
  }

  async close(): Promise<void> {
    await this.#link.close();
  }
}

/** @param flat the hash `routers`: workers and their heartbeats in turn @param now the time of Redis, ms */
function seenIn(flat: readonly string[], now: number): readonly SeenBeat[] {
  const seen: SeenBeat[] = [];
  for (let i = 1; i < flat.length; i += 2) {
    const [, at = '', text = ''] = /^(\d+) (.*)$/s.exec(flat[i] ?? '') ?? [];
    const beat = readBeat(text);
    const agoMs = Math.max(0, now - Number(at));
    if (beat !== null && agoMs <= GONE_MS) seen.push({ beat, agoMs });
  }
  return seen;
}

async function asEditorError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RouterError) throw new EditorError('store-unavailable', error.message, { cause: error });
    throw isReplyError(error) ? refusedBy(error) : error;
  }
}
