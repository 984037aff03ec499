import { createHash } from 'node:crypto';

/**
 * Walks the candidates of hosts inside Redis: one round trip however many there are of both.
 *
 * KEYS: for each host its candidates' `frontend:` keys, most specific first, then its `dead:` key. ARGV[1]: the longest
 * list allowed. ARGV[2]: `ttl` when it is wanted how many ms are left to the first key that expires. Then for each host
 * the number of its keys. Returns JSON, which costs the client far less than as many replies: for each host what
 * `lookupOfScript` in redis-codec.ts reads. It only reads, so it runs on replicas too, and when memory is full.
 */
export const LOOKUP = `
local max = tonumber(ARGV[1])
local wantsExpiry = ARGV[2] == 'ttl'

-- A reply that is an error: the type of what stands there when that is the reason, else the error itself.
local function reason(key, wanted, err)
  local found = redis.pcall('TYPE', key)
  if found.ok and found.ok ~= wanted then return found.ok end
  return nil, err
end

local function sooner(left, key)
  if not wantsExpiry then return left end
  local ms = redis.call('PTTL', key)
  if ms >= 0 and (left < 0 or ms < left) then return ms end
  return left
end

local function look(first, last)
  local bare, bareAt
  local left = -1
  for i = first, last - 1 do
    -- One element more than allowed is enough to know that there are too many.
    local list = redis.pcall('LRANGE', KEYS[i], 0, max)
    if list.err then
      local found, err = reason(KEYS[i], 'list', list)
      if err then return err end
      return {'wrong-type', i - first, found}
    end
    if #list > max then return {'too-long', i - first} end
    if #list > 0 then left = sooner(left, KEYS[i]) end
    if #list > 1 then
      local dead = redis.pcall('SMEMBERS', KEYS[last])
      if dead.err then
        local found, err = reason(KEYS[last], 'set', dead)
        if err then return err end
        dead = found
      end
      return {'found', i - first, list, dead, sooner(left, KEYS[last])}
    end
    if #list == 1 and not bare then
      bare = list
      bareAt = i - first
    end
  end
  if bare then return {'found', bareAt, bare, {}, left} end
  return false
end

local replies = {}
local first = 1
for n = 3, #ARGV do
  local last = first + tonumber(ARGV[n]) - 1
  replies[n - 2] = look(first, last)
  first = last + 1
end
return cjson.encode(replies)
`;

/** How EVALSHA names it. */
export const LOOKUP_SHA = createHash('sha1').update(LOOKUP).digest('hex');

/** Both or neither, on the one node that has the key. KEYS: a `dead:` key. ARGV: the id, and seconds. */
export const BURIAL = `
local added = redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return added
`;
