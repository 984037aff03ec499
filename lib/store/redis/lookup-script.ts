import { MAX_PREFIX } from '../../core/routing/prefixes.ts';
import { scriptOf } from '../redis-client/script.ts';
import { HASHES } from './lookup-script-hashes.ts';
import { TIME } from './trial-scripts.ts';

/**
 * Looks up hosts inside Redis: one round trip, however many hosts and candidates. KEYS: for each host its candidates'
 * `frontend:` keys, most specific first, then its `dead:` key. ARGV[1]: the maximum length of a list. ARGV[2]: `ttl` to
 * get the ms until the first key expires. ARGV[3]: the maximum number of prefixes that are listed by name. ARGV[4]: the
 * prefix of all keys. Then for each host the number of its keys, and the requested path. Returns JSON, which costs the
 * client far less than as many replies: for each host what `lookedOfScript` in codec.ts parses. The script only reads,
 * so it runs on replicas, and when memory is full. The keys of prefixes and of the hashes of sites follow from a path, so
 * they are not among KEYS; a server that refuses undeclared keys says so, and is then queried with plain commands.
 */
export const LOOKUP = scriptOf(`
local most = ARGV[1]
local max = tonumber(most)
local wantsExpiry = ARGV[2] == 'ttl'
local before = ARGV[4]
local nameAt = #before + #'frontend:' + 1
local deadAt = #before + #'dead:' + 1
local allOptions = before .. 'options:*'
local allHeaders = before .. 'headers:*'
local allWeights = before .. 'weights:*'
-- By kind, why this user may not read those hashes; nothing where it may.
local denied
local ask = redis.pcall

local function sooner(left, key)
  if not wantsExpiry then return left end
  local ms = redis.call('PTTL', key)
  if ms >= 0 and (not left or left < 0 or ms < left) then return ms end
  return left
end

-- What only some hosts need, made when the first of them needs it: each function costs in every run of a script.
local more
local function make()
  local maxNames = tonumber(ARGV[3])
  local maxSegments = ${MAX_PREFIX.segments}
  local maxLength = ${MAX_PREFIX.length}

  -- A reply that is an error: the type of what stands there when that is the reason, else the error itself.
  local function reason(key, wanted, err)
    local found = ask('TYPE', key)
    if found.ok and found.ok ~= wanted then return found.ok end
    return nil, err
  end

  -- Who is dead, the type of what stands there instead, or an error.
  local function members(key)
    local dead = ask('SMEMBERS', key)
    if not dead.err then return dead end
    local found, err = reason(key, 'set', dead)
    return found or err
  end

  -- Which URLs the marks of routers are for: asked only where there are marks.
  local function urls(frontend, dead)
    if #dead == 0 then return nil end
    local marks = ask('HGETALL', before .. 'marks:' .. frontend)
    if marks.err or #marks == 0 then return nil end
    return marks
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

${HASHES}

  ${TIME}
  -- Records of deaths, and the time; nothing where there are none. And the sooner of left and the next trial.
  local function records(frontend, left)
    if denied and denied.trial then return nil, left end
    local key = before .. 'trial:' .. frontend
    local found = ask('HGETALL', key)
    if found.err or #found == 0 then return nil, left end
    local now = time()
    if not now then return nil, left end
    if wantsExpiry then
      left = sooner(left, key)
      for i = 2, #found, 2 do
        local due = string.match(found[i], '^%d+ %d+ %d+ (%d+)')
        local ms = due and due - now or 0
        if ms > 0 and (not left or left < 0 or ms < left) then left = ms end
      end
    end
    table.insert(found, string.format('%.0f', now))
    return found, left
  end

  -- What a frontend's prefix has for this host. mayHave: whether the host, or all, may have hashes.
  local function under(name, prefix, deadKey, beside, mayHave)
    local own = name .. prefix
    local key = before .. 'frontend:' .. own
    local list = ask('LRANGE', key, '0', most)
    if list.err then
      local found, err = reason(key, 'list', list)
      return {type = 'wrong-type', prefix = prefix, found = found or err.err}
    end
    if #list > max then return {type = 'too-long', prefix = prefix} end
    if #list > 0 then beside.left = sooner(beside.left, key) end
    if #list < 2 then return nil end
    local hit = {prefix = prefix, list = list}
    local frontend = string.sub(deadKey, deadAt) .. prefix
    local keys = {deadKey .. prefix}
    if not denied or not denied.trial then table.insert(keys, before .. 'trial:' .. frontend) end
    local isShared = own ~= frontend
    if not denied or not denied.checked then table.insert(keys, before .. 'checked:' .. own) end
    if isShared and (not denied or not denied.down) then table.insert(keys, before .. 'down:' .. own) end
    for _, kind in ipairs(kinds) do
      if not denied or not denied[kind] then table.insert(keys, before .. kind .. ':' .. own) end
    end
    local count = ask('EXISTS', unpack(keys))
    if count ~= 0 then
      local hashes
      hit.site, hashes = site(own, beside)
      if count ~= hashes then
        hit.dead = members(deadKey .. prefix)
        if hit.dead.err then hit.dead = nil end
        if hit.dead then hit.marks = urls(frontend, hit.dead) end
        beside.left = sooner(beside.left, deadKey .. prefix)
        hit.records, beside.left = records(frontend, beside.left)
        hit.unchecked = idsBy('checked', own, list, beside)
        hit.down = isShared and idsBy('down', own, list, beside) or nil
      end
    end
    if mayHave then
      hit.host = site(name, beside)
      beside.all = site('*', beside)
    end
    return hit
  end

  -- Whether this frontend has prefixes; and if so, what the path's longest leads to.
  local function paths(i, name, path, deadKey, beside, mayHave)
    local key = before .. 'prefixes:' .. name
    for _, cut in ipairs(cuts(path)) do
      local is = ask('SISMEMBER', key, cut)
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
      local size = ask('SCARD', key)
      if type(size) == 'table' then return fault(beside, key, 'set', size) end
      if size == 0 then return end
      beside.paths = i
      if size <= maxNames then beside.names = redis.call('SMEMBERS', key) end
    end
    beside.left = sooner(beside.left, key)
  end

  more = {
    records = records, reason = reason, members = members, urls = urls, idsBy = idsBy, site = site, paths = paths,
    permitted = permitted,
    denials = denials, remembers = maxNames > 0
  }
end

local function look(first, last, path)
  local deadKey = KEYS[last]
  -- The first candidate is the host.
  local frontend = string.sub(KEYS[first], nameAt)
  local trialKey = before .. 'trial:' .. frontend
  -- The first list without a backend, and where.
  local bare, bareAt
  -- The list that counts, and where.
  local own, at
  -- What there is beside the lists, and how much there may be beside each.
  local beside, may
  local left = -1

  for i = first, last - 1 do
    local key = KEYS[i]
    local name = i == first and frontend or string.sub(key, nameAt)
    -- Most have nothing beside their lists, and nobody is dead: one command tells.
    local count = denied
    if not count and i == first then
      count = ask('EXISTS',
        before .. 'prefixes:' .. name, before .. 'options:' .. name, allOptions,
        before .. 'headers:' .. name, allHeaders, before .. 'weights:' .. name, allWeights, deadKey, trialKey,
        before .. 'checked:' .. name)
    elseif not count then
      count = ask('EXISTS',
        before .. 'prefixes:' .. name, before .. 'options:' .. name, allOptions,
        before .. 'headers:' .. name, allHeaders, before .. 'weights:' .. name, allWeights, deadKey, trialKey,
        before .. 'checked:' .. name, before .. 'down:' .. name)
    end
    if type(count) == 'table' then
      if not more then make() end
      count = more.permitted(name, deadKey)
      if denied and not beside then
        beside = {faults = more.denials()}
        may = {}
      end
    end
    if count ~= 0 then
      if not more then make() end
      beside = beside or {}
      may = may or {}
      if type(count) == 'table' then
        beside.shut = count.err
      else
        if not beside.paths then more.paths(i - first, name, path, deadKey, beside, count > 1) end
        may[i] = beside.paths == i - first and count - 1 or count
        -- Nobody remembers the host's own list: it need not be read for this path.
        if beside.hit and not more.remembers then return {'beside', true, beside} end
      end
    end
    -- One element more than allowed is enough to know that there are too many.
    local list = ask('LRANGE', key, '0', most)
    if list.err then
      if not more then make() end
      local found, err = more.reason(key, 'list', list)
      if err then return err end
      own = {'wrong-type', i - first, found}
      break
    end
    if #list > max then
      own = {'too-long', i - first}
      break
    end
    if #list > 0 then left = sooner(left, key) end
    if #list > 1 then
      local dead = {}
      local marks, found, unchecked, down
      if beside then
        dead = more.members(deadKey)
        if dead.err then return dead end
        left = sooner(left, deadKey)
        marks = more.urls(frontend, dead)
        found, left = more.records(frontend, left)
        -- These are some of those that there are.
        if may[i] and #dead > 0 then may[i] = may[i] - 1 end
        if may[i] and found then may[i] = may[i] - 1 end
        if (may[i] or 0) > 0 then
          unchecked = more.idsBy('checked', name, list, beside)
          if unchecked then may[i] = may[i] - 1 end
          down = i > first and more.idsBy('down', name, list, beside) or nil
          if down then may[i] = may[i] - 1 end
        end
      end
      own = {'found', i - first, list, dead, left, marks or {}, found or {}, unchecked or {}, down}
      at = i
      break
    end
    if #list == 1 and not bare then
      bare = list
      bareAt = i
    end
  end

  if not own and bare then
    own = {'found', bareAt - first, bare, {}, left}
    at = bareAt
  end
  if not beside then return own or false end
  if at and (may[at] or 0) > 0 then
    local name = string.sub(KEYS[at], nameAt)
    beside.host = more.site(name, beside)
    if name ~= '*' and not beside.all then beside.all = more.site('*', beside) end
  end
  return {'beside', own or false, beside}
end

local replies = {}
local first = 1
for n = 5, #ARGV, 2 do
  local last = first + tonumber(ARGV[n]) - 1
  replies[(n - 3) / 2] = look(first, last, ARGV[n + 1])
  first = last + 1
end
return cjson.encode(replies)
`);
