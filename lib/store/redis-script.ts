import { createHash } from 'node:crypto';
import { MAX_PREFIX } from '../core/prefixes.ts';
import { MAX_FIELDS } from './limits.ts';

/**
 * Walks the candidates of hosts inside Redis: one round trip however many there are of both.
 *
 * KEYS: for each host its candidates' `frontend:` keys, most specific first, then its `dead:` key. ARGV[1]: the longest
 * list allowed. ARGV[2]: `ttl` when it is wanted how many ms are left to the first key that expires. ARGV[3]: the most
 * prefixes of a frontend that are to be told by name; ARGV[4]: what stands before all keys. Then for each host the
 * number of its keys, and the path that is asked for. Returns JSON, which costs the client far less than as many
 * replies: for each host what `lookedOfScript` in redis-codec.ts reads. It only reads, so it runs on replicas too, and
 * when memory is full.
 *
 * What stands beside the lists (prefixes, options) is at keys that follow from a path, so they are not among KEYS; a
 * server that minds says so, and is asked in another way.
 */
export const LOOKUP = `
local max = tonumber(ARGV[1])
local wantsExpiry = ARGV[2] == 'ttl'
local maxNames = tonumber(ARGV[3])
local before = ARGV[4]
local nameAt = #before + #'frontend:' + 1
local maxFields = ${MAX_FIELDS}
local maxSegments = ${MAX_PREFIX.segments}
local maxLength = ${MAX_PREFIX.length}

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

-- A path's whole segments from its beginning, the longest first: core/prefixes.ts.
local function cuts(path)
  local found = {}
  local at = 1
  while #found < maxSegments and at <= #path do
    local slash = string.find(path, '/', at + 1, true)
    local stop = slash and slash - 1 or #path
    if stop == at or stop > maxLength then break end
    table.insert(found, 1, string.sub(path, 1, stop))
    at = stop + 1
  end
  return found
end

local function fault(beside, key, wanted, reply)
  local found, err = reason(key, wanted, reply)
  beside.faults = beside.faults or {}
  table.insert(beside.faults, {key, found and 'holds a ' .. found .. ', not a ' .. wanted or err.err})
end

-- The fields of a frontend's options, if it has any.
local function options(name, beside)
  local key = before .. 'options:' .. name
  local length = redis.pcall('HLEN', key)
  if type(length) == 'table' then return fault(beside, key, 'hash', length) end
  if length == 0 then return end
  if length > maxFields then
    beside.faults = beside.faults or {}
    table.insert(beside.faults, {key, 'has more than ' .. maxFields .. ' fields'})
    return
  end
  beside.left = sooner(beside.left, key)
  return redis.call('HGETALL', key)
end

-- What a frontend's prefix has for this host. mayHave: whether the host, or all, may have options.
local function under(name, prefix, deadKey, beside, mayHave)
  local key = before .. 'frontend:' .. name .. prefix
  local list = redis.pcall('LRANGE', key, 0, max)
  if list.err then
    local found, err = reason(key, 'list', list)
    return {type = 'wrong-type', prefix = prefix, found = found or err.err}
  end
  if #list > max then return {type = 'too-long', prefix = prefix} end
  if #list > 0 then beside.left = sooner(beside.left, key) end
  if #list < 2 then return nil end
  local dead = redis.pcall('SMEMBERS', deadKey .. prefix)
  if dead.err then dead = reason(deadKey .. prefix, 'set', dead) or {} end
  beside.left = sooner(beside.left, deadKey .. prefix)
  local hit = {type = 'found', prefix = prefix, list = list, dead = dead}
  if mayHave then hit.host = options(name, beside) end
  hit.options = options(name .. prefix, beside)
  return hit
end

-- Whether this frontend has prefixes; and if so, what the path's longest leads to.
local function paths(i, name, path, deadKey, beside, mayHave)
  local key = before .. 'prefixes:' .. name
  for _, cut in ipairs(cuts(path)) do
    local is = redis.pcall('SISMEMBER', key, cut)
    -- No set: what it is instead is told below.
    if type(is) == 'table' then break end
    if is == 1 then
      beside.paths = i
      beside.hit = under(name, cut, deadKey, beside, mayHave)
      if beside.hit then break end
      beside.missing = beside.missing or {}
      table.insert(beside.missing, cut)
    end
  end
  if not beside.paths or maxNames > 0 then
    local size = redis.pcall('SCARD', key)
    if type(size) == 'table' then return fault(beside, key, 'set', size) end
    if size == 0 then return end
    beside.paths = i
    if size <= maxNames then beside.names = redis.call('SMEMBERS', key) end
  end
  beside.left = sooner(beside.left, key)
end

local function look(first, last, path)
  local bare, bareAt
  local left = -1
  local beside = {left = -1}
  local isAny = false
  -- Which frontends may have options, or all.
  local mayHave = {}

  local function answer(own, at)
    if not isAny then return own end
    if beside.hit and mayHave[first + beside.paths] then beside.all = options('*', beside) end
    if at and mayHave[at] then
      local name = string.sub(KEYS[at], nameAt)
      beside.host = options(name, beside)
      if name ~= '*' and not beside.all then beside.all = options('*', beside) end
    end
    return {'beside', own, beside}
  end

  for i = first, last - 1 do
    local name = string.sub(KEYS[i], nameAt)
    if not beside.shut then
      local count = redis.pcall('EXISTS', before .. 'prefixes:' .. name, before .. 'options:' .. name, before .. 'options:*')
      if type(count) == 'table' then
        isAny = true
        beside.shut = count.err
      elseif count > 0 then
        isAny = true
        -- Where a prefix is found, one of those that are there is the set of prefixes.
        if not beside.paths then paths(i - first, name, path, KEYS[last], beside, count > 1) end
        mayHave[i] = count > 1 or beside.paths ~= i - first
        -- Nobody remembers the host's own list: it need not be read for this path.
        if beside.hit and maxNames == 0 then return answer(true) end
      end
    end
    -- One element more than allowed is enough to know that there are too many.
    local list = redis.pcall('LRANGE', KEYS[i], 0, max)
    if list.err then
      local found, err = reason(KEYS[i], 'list', list)
      if err then return err end
      return answer({'wrong-type', i - first, found})
    end
    if #list > max then return answer({'too-long', i - first}) end
    if #list > 0 then left = sooner(left, KEYS[i]) end
    if #list > 1 then
      local dead = redis.pcall('SMEMBERS', KEYS[last])
      if dead.err then
        local found, err = reason(KEYS[last], 'set', dead)
        if err then return err end
        dead = found
      end
      return answer({'found', i - first, list, dead, sooner(left, KEYS[last])}, i)
    end
    if #list == 1 and not bare then
      bare = list
      bareAt = i
    end
  end
  if bare then return answer({'found', bareAt - first, bare, {}, left}, bareAt) end
  return answer(false)
end

local replies = {}
local first = 1
for n = 5, #ARGV, 2 do
  local last = first + tonumber(ARGV[n]) - 1
  replies[(n - 3) / 2] = look(first, last, ARGV[n + 1])
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
