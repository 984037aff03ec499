import { MAX_INTERVAL, USUAL_INTERVAL } from '../../sites/healthcheck.ts';
import { MAX_LIST } from '../limits.ts';
import { scriptOf } from '../redis-client/script.ts';
import { FILE_REPORT } from './check-marks-script.ts';

/** How many elements of lists one turn returns: some ms of Redis' time. */
const MAX_ELEMENTS = 20_000;
/** How long a walk for new lists may take, ms: then another router may begin one. */
const WALK_MS = 60_000;

/**
 * One turn of a router that checks backends. It files the router's results, and takes lists that are due, by moving
 * them to their next time: so each list is checked by one router an interval, and those of a router that died are due
 * again. Redis' clock counts. KEYS: the sorted set `checks`, of keys of lists and when they are due, ms; its member ""
 * is the walk for new lists. ARGV: the prefix of all keys, the maximum number of lists, the reports as JSON. Returns
 * JSON, parsed in checks.ts. The other keys follow from those of lists: a server that refuses undeclared keys has no
 * checks.
 */
export const TURN = scriptOf(`
-- Before Redis 5, a script that asks for the time may not write without it.
if redis.replicate_commands then redis.replicate_commands() end
local before, most = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local ping = redis.pcall('GET', 'hchecker_ping')
if type(ping) == 'string' and string.match(ping, '^%d+$') and now / 1000 - tonumber(ping) < 30 then
  return cjson.encode({paused = true})
end

local function trimmed(text)
  return string.match(text, '^%s*(.-)%s*$')
end

local function mapOf(flat)
  local map = {}
  for i = 1, #flat, 2 do map[flat[i]] = flat[i + 1] end
  return map
end

local function setOf(members)
  local set = {}
  for _, member in ipairs(members) do set[member] = true end
  return set
end

${FILE_REPORT}
-- A key of another type, or a missing right, must not cost the other lists their turn.
local fault
local function tried(what, argument)
  local isDone, result = pcall(what, argument)
  if isDone then return result end
  fault = type(result) == 'table' and result.err or tostring(result)
  return nil
end

local outcomes = {}
for i, report in ipairs(cjson.decode(ARGV[3])) do outcomes[i] = tried(file, report) or 'failed' end

local function intervalOf(fields)
  local seconds = tonumber(string.match(fields['interval'] or '', '^%s*(%d+)%s*$'))
  if not seconds or seconds < 1 or seconds > ${MAX_INTERVAL} then seconds = ${USUAL_INTERVAL} end
  return seconds * 1000
end

-- Lists are due at different times of their interval, which no router's end changes.
local function nextOf(key, interval)
  local phase = tonumber(string.sub(redis.sha1hex(key), 1, 8), 16) % interval
  local due = now - (now - phase) % interval + interval
  return due - now < interval / 2 and due + interval or due
end

-- What is known of backends that have left the list. A backend that comes back is new.
local function forget(key, list, results, isFirst)
  local isListed = {}
  for i = 2, #list do isListed[trimmed(list[i])] = true end
  for i = 1, #results, 2 do
    if not isListed[results[i]] then redis.call('HDEL', before .. 'check:' .. key, results[i]) end
  end
  local function clean(name)
    for _, url in ipairs(redis.call('SMEMBERS', name)) do
      if not isListed[url] then redis.call('SREM', name, url) end
    end
  end
  if isShared(key) then clean(before .. 'down:' .. key) end
  local checked = before .. 'checked:' .. key
  if not isFirst then return redis.call('PEXPIRE', checked, 0) end
  clean(checked)
end

local elements = 0
local function take(key)
  local fields = redis.call('HGETALL', before .. 'healthcheck:' .. key)
  if #fields == 0 then
    redis.call('ZREM', KEYS[1], key)
    return nil
  end
  local said = mapOf(fields)
  redis.call('ZADD', KEYS[1], string.format('%.0f', nextOf(key, intervalOf(said))), key)
  local list = redis.call('LRANGE', before .. 'frontend:' .. key, 0, ${MAX_LIST})
  if #list < 2 then return nil end
  elements = elements + #list
  local found = {key = key, fields = fields, list = list, results = redis.call('HGETALL', before .. 'check:' .. key)}
  forget(key, list, found.results, string.match(said['first'] or '', '^%s*(.-)%s*$') == '1')
  if isShared(key) then
    found.down = redis.call('SMEMBERS', before .. 'down:' .. key)
  else
    found.dead = redis.call('SMEMBERS', before .. 'dead:' .. key)
    if #found.dead > 0 then found.marks = redis.call('HGETALL', before .. 'marks:' .. key) end
  end
  return found
end

local walks = not redis.call('ZSCORE', KEYS[1], '')
local due = {}
local late = string.format('%.0f', now + 60000)
for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, most)) do
  if elements >= ${MAX_ELEMENTS} then break end
  if key == '' then
    walks = true
  else
    local taken = tried(take, key)
    if taken then table.insert(due, taken) end
    -- It would be due again at once, for ever.
    if not taken and fault and redis.call('ZSCORE', KEYS[1], key) then redis.call('ZADD', KEYS[1], late, key) end
  end
end
if walks then redis.call('ZADD', KEYS[1], string.format('%.0f', now + ${WALK_MS}), '') end

return cjson.encode({
  outcomes = outcomes, due = due, walks = walks, lists = redis.call('ZCARD', KEYS[1]) - 1, fault = fault
})
`);

/**
 * Adds lists to those that are checked: they are due at once. KEYS: `checks`. ARGV: in how many ms the next walk is
 * due, or "" to leave that as it is; then the keys of lists.
 */
export const ADD = scriptOf(`
if redis.replicate_commands then redis.replicate_commands() end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local at = string.format('%.0f', now)
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'NX', at, ARGV[i]) end
if ARGV[1] ~= '' then redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[1])), '') end
return 1
`);
