import { randomBytes } from 'node:crypto';
import { SILENT_MS } from '../../core/limits/demand.ts';
import { type RedisLink, unavailable } from '../redis-client/link.ts';
import { evaluate, scriptOf } from '../redis-client/script.ts';
import type { PermitShare } from '../../core/limits/permits.ts';
import type { PermitNeed, Share, ShareDemand, ShareSource } from '../shares.ts';
import { LEASE, needsAsText, permitsIn } from './permits.ts';

/** How long a limit that no worker is asked for stays in Redis, ms. */
const KEEP_MS = 5_000;

/**
 * Notes what a worker is asked for under limits, and divides them, as core/limits/demand.ts has it. KEYS: a hash `rate:…` for
 * each limit: workers, and what each was asked for and when, ms. ARGV: the worker, then what it is asked for under each. Returns
 * the share, as text, and the number of workers, for each.
 */
const EXCHANGE = scriptOf(`
-- Before Redis 5, a script that asks for the time may not write without it.
if redis.replicate_commands then redis.replicate_commands() end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local reply = {}
for i, key in ipairs(KEYS) do
  local own = tonumber(ARGV[i + 1])
  redis.call('HSET', key, ARGV[1], string.format('%s %.0f', ARGV[i + 1], now))
  redis.call('PEXPIRE', key, ${KEEP_MS})
  local all, workers = 0, 0
  local said = redis.call('HGETALL', key)
  for j = 1, #said, 2 do
    local asked, at = string.match(said[j + 1], '^([%d.]+) (%d+)$')
    if not asked or now - tonumber(at) > ${SILENT_MS} then
      redis.call('HDEL', key, said[j])
    else
      all = all + tonumber(asked)
      workers = workers + 1
    end
  end
  table.insert(reply, string.format('%.6f', all > 0 and own / all or 1))
  table.insert(reply, workers)
end
return reply
`);

/** Shares among all routers of a Redis. */
export class RedisShares implements ShareSource {
  readonly #link: RedisLink;
  readonly #prefix: string;
  /** Identifies this worker. */
  readonly #name = randomBytes(6).toString('hex');

  /** @param link to the server that takes writes @param prefix of all keys */
  constructor(link: RedisLink, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
  }

  async exchange(demands: readonly ShareDemand[]): Promise<readonly Share[]> {
    return await this.#inParts(demands, (part) => this.#ask(part));
  }

  async lease(needs: readonly PermitNeed[]): Promise<readonly PermitShare[]> {
    return await this.#inParts(needs, (part) => this.#lease(part));
  }

  /** Where keys are on several servers, each has a script call of its own. */
  async #inParts<Said, Got>(
    all: readonly Said[],
    ask: (part: readonly Said[]) => Promise<readonly Got[]>,
  ): Promise<readonly Got[]> {
    if (this.#link.isOneServer) return await ask(all);
    const parts = await Promise.all(all.map((each) => ask([each])));
    return parts.flat();
  }

  async #lease(needs: readonly PermitNeed[]): Promise<readonly PermitShare[]> {
    const keys = needs.map(({ key }) => `${this.#prefix}permits:${key}`);
    const args = [String(keys.length), ...keys, ...needsAsText(this.#name, needs)];
    const permits = permitsIn(await evaluate(this.#link, LEASE, args, this.#link.deadline()));
    if (permits.length !== needs.length) throw unavailable('it sent an invalid reply about permits');
    return permits;
  }

  async #ask(demands: readonly ShareDemand[]): Promise<readonly Share[]> {
    const keys = demands.map(({ key }) => `${this.#prefix}rate:${key}`);
    const asked = demands.map((demand) => demand.asked.toFixed(3));
    const args = [String(keys.length), ...keys, this.#name, ...asked];
    const reply = await evaluate(this.#link, EXCHANGE, args, this.#link.deadline());
    const shares = sharesOf(reply);
    if (shares.length !== demands.length) throw unavailable('it sent an invalid reply about rates');
    return shares;
  }
}

function sharesOf(reply: unknown): readonly Share[] {
  const flat: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const shares: Share[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const share = Number(flat[i]);
    const sharers = Number(flat[i + 1]);
    if (!(share >= 0 && share <= 1) || !(sharers >= 1)) return [];
    shares.push({ share, sharers });
  }
  return shares;
}
