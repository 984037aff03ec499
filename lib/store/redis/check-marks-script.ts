/**
 * The part of the script of checks (check-script.ts) that files results: the marks of a list, and what becomes of them.
 * check-filing.ts does the same by plain commands.
 */
import { MAX_LIST } from '../limits.ts';

/**
 * In Lua: `file(report)`, which returns an outcome, and `isShared(key)`. It uses `before`, the prefix of all keys, and `trimmed`,
 * `mapOf` and `setOf`.
 */
export const FILE_REPORT = `
-- hasSharedList in store/checks.ts.
local function isShared(key)
  local host = string.match(key, '^[^/]*')
  return string.find(host, '^%*') ~= nil or string.find(host, '^[^%[].*:') ~= nil or string.find(host, '^:') ~= nil
end

-- The marks of a list that hosts of other names have: a set of URLs.
local function sharedMarksOf(key, list)
  local downKey = before .. 'down:' .. key
  local isMember = setOf(redis.call('SMEMBERS', downKey))
  local self = {list = list}

  function self.isRouters(i)
    return isMember[list[i + 1]]
  end

  function self.isOthers()
    return false
  end

  self.isDead = self.isRouters

  function self.add(i)
    redis.call('SADD', downKey, list[i + 1])
  end

  function self.remove(i)
    redis.call('SREM', downKey, list[i + 1])
  end

  function self.renew(ttl, least)
    if redis.call('PTTL', downKey) < least then redis.call('PEXPIRE', downKey, ttl) end
  end

  -- Other checkers look for the host of a message.
  function self.announce() end

  return self
end

-- The marks of one list.
local function marksOf(key)
  local list = redis.call('LRANGE', before .. 'frontend:' .. key, 1, ${MAX_LIST})
  for i, url in ipairs(list) do list[i] = trimmed(url) end
  if isShared(key) then return sharedMarksOf(key, list) end
  local deadKey, marksKey = before .. 'dead:' .. key, before .. 'marks:' .. key
  local isMember = setOf(redis.call('SMEMBERS', deadKey))
  local urls = mapOf(redis.call('HGETALL', marksKey))
  local self = {list = list}

  function self.isRouters(i)
    local id = string.format('%d', i)
    return isMember[id] and urls[id] == list[i + 1]
  end

  function self.isOthers(i)
    local id = string.format('%d', i)
    return isMember[id] and urls[id] == nil
  end

  function self.isDead(i)
    return self.isRouters(i) or self.isOthers(i)
  end

  function self.add(i)
    local id = string.format('%d', i)
    redis.call('SADD', deadKey, id)
    redis.call('HSET', marksKey, id, list[i + 1])
  end

  function self.remove(i)
    local id = string.format('%d', i)
    redis.call('SREM', deadKey, id)
    redis.call('HDEL', marksKey, id)
  end

  -- A URL that ended before its mark would make that another checker's; one without a limit would outlive it.
  function self.renew(ttl, least)
    local left = redis.call('PTTL', deadKey)
    if left < least then
      redis.call('PEXPIRE', deadKey, ttl)
      left = ttl
    end
    if redis.call('PTTL', marksKey) < left then redis.call('PEXPIRE', marksKey, left) end
  end

  function self.announce(i, entry)
    redis.pcall('PUBLISH', 'dead', string.format('%s;%s;%d;%d', key, entry, i, #list))
  end

  return self
end

local function mark(report, marks, places)
  local isUnusable = setOf(report.unusable)
  local lives = false
  for i, url in ipairs(marks.list) do
    if url ~= report.url and not isUnusable[url] and not marks.isDead(i - 1) then lives = true end
  end
  if not lives then return 'last' end
  local outcome = 'kept'
  local isOurs = false
  for _, i in ipairs(places) do
    -- A mark of an operator or another checker stays theirs.
    if not marks.isOthers(i) then
      isOurs = true
      if not marks.isRouters(i) then
        marks.add(i)
        outcome = 'marked'
        marks.announce(i, report.entry)
      end
    end
  end
  if isOurs then marks.renew(report.ttl, report.renew) end
  return outcome
end

local function renew(report, marks, places)
  for _, i in ipairs(places) do
    if marks.isRouters(i) then
      marks.renew(report.ttl, report.renew)
      return 'kept'
    end
  end
  return 'noted'
end

local function clear(marks, places)
  local outcome = 'noted'
  for _, i in ipairs(places) do
    if marks.isRouters(i) then
      marks.remove(i)
      outcome = 'cleared'
    end
  end
  return outcome
end

local function file(report)
  if redis.call('EXISTS', before .. 'healthcheck:' .. report.key) == 0 then return 'gone' end
  local results = before .. 'check:' .. report.key
  redis.call('HSET', results, report.url, report.result)
  redis.call('PEXPIRE', results, report.keep)
  if report.good then
    -- A backend that died needs no trial: the checks decide.
    redis.pcall('HDEL', before .. 'trial:' .. report.key, report.url)
    local checked = before .. 'checked:' .. report.key
    redis.call('SADD', checked, report.url)
    -- Each change of its time limit is one that all routers read.
    if redis.call('PTTL', checked) < report.keep / 2 then redis.call('PEXPIRE', checked, report.keep) end
  end
  if report.action == 'none' then return 'noted' end
  local marks = marksOf(report.key)
  local places = {}
  for i, url in ipairs(marks.list) do
    if url == report.url then table.insert(places, i - 1) end
  end
  if #places == 0 then
    redis.call('HDEL', results, report.url)
    return 'moved'
  end
  if report.action == 'clear' then return clear(marks, places) end
  if report.action == 'renew' then return renew(report, marks, places) end
  return mark(report, marks, places)
end
`;
