import {
  type Announcement,
  type BeatSource,
  GONE_MS,
  type Member,
  nameOf,
  readAnnouncement,
  type WorkerBeat,
} from '../fleet.ts';
import { type RedisLink, unavailable } from '../redis-client/link.ts';
import { evaluate, scriptOf } from '../redis-client/script.ts';
import { isTexts } from '../texts.ts';

/** How many workers are kept: beyond it, new ones are not noted. */
const MAX_WORKERS = 10_000;
/** How many deploys a worker reports about at a time. */
const MAX_DEPLOYS = 100;
/** Every so many heartbeats of a worker, workers that have gone are removed: that reads the whole hash. */
const SWEEP_EVERY = 60;

/**
 * Notes a worker's heartbeat. KEYS: `routers`. ARGV: the worker, its heartbeat, and `sweep` to remove workers that have gone.
 * Returns the time of Redis, ms, as text. A value is that time, a space, and the heartbeat.
 */
const BEAT = scriptOf(`
-- Before Redis 5, a script that asks for the time may not write without it.
if redis.replicate_commands then redis.replicate_commands() end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local said = string.format('%.0f', now)
if redis.call('HLEN', KEYS[1]) < ${MAX_WORKERS} or redis.call('HGET', KEYS[1], ARGV[1]) then
  redis.call('HSET', KEYS[1], ARGV[1], said .. ' ' .. ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ${GONE_MS})
end
if ARGV[3] == 'sweep' then
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local at = tonumber(string.match(all[i + 1], '^(%d+) '))
    if not at or now - at > ${GONE_MS} then redis.call('HDEL', KEYS[1], all[i]) end
  end
end
return said
`);

/** A worker's heartbeats, in the hash `routers`, and what deploys ask, in `epochs` and `epoch:<key>`. */
export class RedisHeartbeats implements BeatSource {
  readonly #link: RedisLink;
  readonly #prefix: string;
  /** By the member of `epochs`. */
  #announced: ReadonlyMap<string, Announcement> = new Map();
  #beats = 0;
  #skewMs = 0;

  /** @param link to the server that takes writes @param prefix of all keys */
  constructor(link: RedisLink, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
  }

  async beat(beat: WorkerBeat): Promise<{ readonly announced: readonly Announcement[]; readonly skewMs: number }> {
    const sweep = this.#beats++ % SWEEP_EVERY === 0 ? 'sweep' : '';
    const sentAt = Date.now();
    const deadline = this.#link.deadline();
    const args = ['1', `${this.#prefix}routers`, nameOf(beat), JSON.stringify(beat), sweep];
    const redisMs = Number(await evaluate(this.#link, BEAT, args, deadline));
    if (!(redisMs > 0)) throw unavailable('it sent an invalid reply to a heartbeat');
    this.#skewMs = Math.round((sentAt + Date.now()) / 2 - redisMs);
    return { announced: await this.#read(redisMs, deadline), skewMs: this.#skewMs };
  }

  async leave(member: Member): Promise<void> {
    await this.#link.send(['hdel', `${this.#prefix}routers`, nameOf(member)], this.#link.deadline());
  }

  async #read(now: number, deadline: number): Promise<readonly Announcement[]> {
    const limit = ['limit', '0', String(MAX_DEPLOYS)];
    const members = await this.#link.send(
      ['zrangebyscore', `${this.#prefix}epochs`, String(now), '+inf', ...limit],
      deadline,
    );
    if (!isTexts(members)) return [];
    if (members.length === 0 && this.#announced.size === 0) return [];
    const fresh = members.filter((member) => !this.#announced.has(member));
    const texts = await this.#link.sendAll(
      fresh.map((member) => ['get', `${this.#prefix}epoch:${keyOfMember(member)}`] as const),
      deadline,
    );
    const announced = new Map(
      members.flatMap((member) => {
        const known = this.#announced.get(member);
        return known === undefined ? [] : [[member, known] as const];
      }),
    );
    for (const [i, member] of fresh.entries()) {
      const text = texts[i];
      const said = typeof text === 'string' ? readAnnouncement(announcementIn(text)) : null;
      // An announcement that has been replaced meanwhile is read with the next heartbeat.
      if (said !== null && memberOf(said) === member) announced.set(member, said);
    }
    this.#announced = announced;
    return [...announced.values()];
  }
}

/** The member of `epochs` for an announcement. */
export function memberOf({ token, key }: Pick<Announcement, 'token' | 'key'>): string {
  return `${token} ${key}`;
}

function keyOfMember(member: string): string {
  return member.slice(member.indexOf(' ') + 1);
}

/** The announcement in the text of `epoch:<key>`, which is after the owner's line. */
function announcementIn(text: string): string {
  return text.slice(text.indexOf('\n') + 1);
}
