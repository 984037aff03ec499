import { createHash } from 'node:crypto';

/**
 * Walks a host's candidates inside Redis: one round trip however many there are.
 *
 * KEYS: the candidates' `frontend:` keys, most specific first, then the host's `dead:` key. ARGV[1]: the longest list
 * allowed. ARGV[2]: `ttl` when it is wanted how many ms are left to the first key that expires. Returns nil, or what
 * `lookupOfScript` in redis-codec.ts reads. It only reads, so it runs on replicas too, and when memory is full.
 */
export const LOOKUP = `
local last = #KEYS
local bare
local left = -1

-- A reply that is an error: the type of what stands there when that is the reason, else the error itself.
local function reason(key, wanted, err)
  local found = redis.pcall('TYPE', key)
  if found.ok and found.ok ~= wanted then return found.ok end
  return nil, err
end

local function expires(key)
  if ARGV[2] ~= 'ttl' then return end
  local ms = redis.call('PTTL', key)
  if ms >= 0 and (left < 0 or ms < left) then left = ms end
end

for i = 1, last - 1 do
  local size = redis.pcall('LLEN', KEYS[i])
  if type(size) ~= 'number' then
    local found, err = reason(KEYS[i], 'list', size)
    if err then return err end
    return {'wrong-type', i - 1, found}
  end
  if size > tonumber(ARGV[1]) then return {'too-long', i - 1} end
  if size > 1 then
    local dead = redis.pcall('SMEMBERS', KEYS[last])
    if dead.err then
      local found, err = reason(KEYS[last], 'set', dead)
      if err then return err end
      dead = found
    end
    expires(KEYS[i])
    expires(KEYS[last])
    return {'found', i - 1, redis.call('LRANGE', KEYS[i], 0, -1), dead, left}
  end
  if size == 1 then
    expires(KEYS[i])
    bare = bare or i
  end
end

if bare then return {'found', bare - 1, redis.call('LRANGE', KEYS[bare], 0, -1), {}, left} end
return false
`;

/** How EVALSHA names it. */
export const LOOKUP_SHA = createHash('sha1').update(LOOKUP).digest('hex');

/** Both or neither, on the one node that has the key. KEYS: a `dead:` key. ARGV: the id, and seconds. */
export const BURIAL = `
local added = redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return added
`;
