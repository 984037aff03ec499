/**
 * Records of deaths in Redis: the hash `trial:<host>` has, for each URL that died, how often in a row, when it was marked
 * last, when that mark expires, when a trial is due, until when a worker has the right to it, and which one. Times are those
 * of Redis, ms since 1970: the clocks of routers do not matter.
 */
import { MOST_TIMES } from '../../core/health/trial.ts';
import { scriptOf } from '../redis-client/script.ts';

/** Records of a host beyond which those are dropped whose trial has been due for long. */
const MANY = 100;
/** With so many recent ones, no further one is kept. */
const MOST = 10_000;

/** The numbers of a record, in Lua. */
const PARTS = String.raw`'^(%d+) (%d+) (%d+) (%d+) (%d+) (%S+)$'`;

/** In Lua: `time()`, ms; nothing where the user may not ask. */
export const TIME = `
local function time()
  local reply = redis.pcall('TIME')
  if reply.err then return nil end
  return reply[1] * 1000 + math.floor(reply[2] / 1000)
end
`;

/** In Lua: `isRemoved(record, now)`, as in core/health/trial.ts, of a backend without a mark. */
export const IS_REMOVED = `
local function isRemoved(record, now)
  local _, _, expires = string.match(record, ${PARTS})
  return not expires or expires - now > 100
end
`;

/**
 * In Lua: `record(key, url, ttl, isAgain, isNew)` records a death. A record for which no trial was due stays as it is: the
 * request was sent before the backend was marked. `isAgain`: the backend was on trial when the request was sent. `isNew`:
 * it had no mark.
 */
export const RECORD = `
local function record(key, url, ttl, isAgain, isNew)
  local now = time()
  if not now then return end
  local old = redis.call('HGET', key, url)
  local deaths = 0
  if old and not (isNew and isRemoved(old, now)) then
    local times, _, _, due = string.match(old, ${PARTS})
    if not times then times, due, isAgain = 0, 0, true end
    if not isAgain or tonumber(due) > now then return end
    deaths = math.min(tonumber(times), 100)
  end
  local size = redis.call('HLEN', key)
  if not old and size > ${MANY} then
    local all = redis.call('HGETALL', key)
    for i = 1, #all, 2 do
      local _, _, _, due = string.match(all[i + 1], ${PARTS})
      if not due or due + ${MOST_TIMES} * ttl < now then
        redis.call('HDEL', key, all[i])
        size = size - 1
      end
    end
    if size >= ${MOST} then return end
  end
  local rest = ttl * math.min(2 ^ deaths, ${MOST_TIMES})
  local text = string.format('%d %.0f %.0f %.0f 0 -', deaths + 1, now, now + ttl, now + rest)
  redis.call('HSET', key, url, text)
  local keep = rest + ${MOST_TIMES} * ttl
  if redis.call('PTTL', key) < keep then redis.call('PEXPIRE', key, string.format('%.0f', keep)) end
end
`;

/**
 * Records a death where the mark is on another node. KEYS: `trial:` of the host. ARGV: the URL, ms, `again` or another word,
 * `new` or another word.
 */
export const RECORD_DEATH = scriptOf(`
${TIME}${IS_REMOVED}${RECORD}
record(KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3] == 'again', ARGV[4] == 'new')
return 1
`);

/** All records, URLs and records in turn, and Redis' time. KEYS: `trial:` of the host. */
export const READ_RECORDS = scriptOf(`
${TIME}
local found = redis.call('HGETALL', KEYS[1])
table.insert(found, string.format('%.0f', time()))
return found
`);

/**
 * Takes the right to a trial, or extends it. KEYS: `trial:` of the host. ARGV: the URL, who asks, ms. Returns 0 when it has
 * the right, else the ms until it may ask again; negative without a record.
 */
export const TAKE_TRIAL = scriptOf(`
${TIME}
local old = redis.call('HGET', KEYS[1], ARGV[1])
local deaths, marked, expires, due, taken, by = string.match(old or '', ${PARTS})
if not deaths then return -1 end
local now = time()
if tonumber(due) > now then return due - now end
if tonumber(taken) > now and by ~= ARGV[2] then return taken - now end
local text = string.format('%s %s %s %s %.0f %s', deaths, marked, expires, due, now + ARGV[3], ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1], text)
return 0
`);

/**
 * A backend on trial has responded. KEYS: `trial:` of the host, and, where one server has them all, `dead:` and
 * `marks:`. ARGV: the URL, the id. A mark of the same URL by a router is removed, too.
 */
export const PASS_TRIAL = scriptOf(`
redis.call('HDEL', KEYS[1], ARGV[1])
if #KEYS == 3 and redis.pcall('HGET', KEYS[3], ARGV[2]) == ARGV[1] then
  redis.call('SREM', KEYS[2], ARGV[2])
  redis.call('HDEL', KEYS[3], ARGV[2])
end
return 1
`);

/** Removes records. KEYS: `trial:` of the host. ARGV: URLs. */
export const DROP_RECORDS = scriptOf(`return redis.call('HDEL', KEYS[1], unpack(ARGV))`);
