/** Permits of limits of requests in flight, divided among all routers of a Redis. */
import { SILENT_MS } from '../../core/limits/demand.ts';
import { LITTLE, type PermitShare, ROUND_MS, ROUND_STEP } from '../../core/limits/permits.ts';
import { scriptOf } from '../redis-client/script.ts';
import type { PermitNeed } from '../shares.ts';

/** How long a limit that no worker uses stays in Redis, ms. */
const KEEP_MS = 5_000;

/**
 * Notes what a worker needs, and divides the permits, as core/limits/permits.ts has it. KEYS: a hash `permits:…` for each limit:
 * workers, and for each what it wants, how many permits it has taken, and when it said so, ms. ARGV: the worker, then for each
 * limit: how many permits there are, how many it wants, how many it uses. Returns for each the permits, the share as text, and 1
 * if they are scarce.
 */
export const LEASE = scriptOf(`
-- Before Redis 5, a script that asks for the time may not write without it.
if redis.replicate_commands then redis.replicate_commands() end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local turned = (math.floor(now / ${ROUND_MS}) * ${ROUND_STEP}) % 1
local own = ARGV[1]
local reply = {}
for i, key in ipairs(KEYS) do
  local limit, wanted, used = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local all, before, taken = wanted, 0, 0
  local said = redis.call('HGETALL', key)
  for j = 1, #said, 2 do
    local name = said[j]
    if name ~= own then
      local wants, has, at = string.match(said[j + 1], '^([%d.]+) (%d+) (%d+)$')
      if not wants or now - tonumber(at) > ${SILENT_MS} then
        redis.call('HDEL', key, name)
      else
        all = all + tonumber(wants)
        if name < own then before = before + tonumber(wants) end
        taken = taken + tonumber(has)
      end
    end
  end
  local share = all > 0 and wanted / all or 1
  local due
  if all > limit then
    due = math.floor(limit * (before + wanted) / all + turned) - math.floor(limit * before / all + turned)
  else
    due = math.ceil(wanted - ${LITTLE}) + math.floor((limit - all) / 2 * share)
  end
  local permits = math.max(0, math.min(due, limit - taken))
  redis.call('HSET', key, own, string.format('%s %.0f %.0f', ARGV[3 * i], math.max(permits, used), now))
  redis.call('PEXPIRE', key, ${KEEP_MS})
  table.insert(reply, permits)
  table.insert(reply, string.format('%.6f', share))
  table.insert(reply, all > limit and 1 or 0)
end
return reply
`);

/** The arguments of `LEASE` for some limits, after its keys. */
export function needsAsText(worker: string, needs: readonly PermitNeed[]): readonly string[] {
  const texts = needs.flatMap(({ limit, wanted, used }) => [String(limit), wanted.toFixed(3), String(used)]);
  return [worker, ...texts];
}

/** The reply of `LEASE`; empty when it is invalid. */
export function permitsIn(reply: unknown): readonly PermitShare[] {
  const flat: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const found: PermitShare[] = [];
  for (let i = 0; i + 2 < flat.length; i += 3) {
    const permits = Number(flat[i]);
    const share = Number(flat[i + 1]);
    if (!Number.isInteger(permits) || permits < 0 || !(share >= 0 && share <= 1)) return [];
    found.push({ permits, share, isScarce: Number(flat[i + 2]) === 1 });
  }
  return found;
}
