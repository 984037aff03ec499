import { HASH_RULES, SITE_HASHES } from '../../sites/hashes.ts';

/**
 * The part of the lookup script (lookup-script.ts) about the hashes that make a site, and the sets of active checks: functions
 * in Lua, which use its variables `ask`, `before`, `deadAt`, `denied`, and its functions `reason` and `sooner`.
 */
export const HASHES = `
  local kinds = {${SITE_HASHES.map((hash) => `'${hash}'`).join(', ')}}
  local maxFields = {${SITE_HASHES.map((hash) => `${hash} = ${HASH_RULES[hash].maxFields}`).join(', ')}}

  local function fault(beside, key, wanted, reply)
    local found, err = reason(key, wanted, reply)
    beside.faults = beside.faults or {}
    table.insert(beside.faults, {key, found and 'holds a ' .. found .. ', not a ' .. wanted or err.err})
  end

  -- The fields of one of a frontend's hashes; nothing when it is empty.
  local function fields(kind, name, beside)
    local key = before .. kind .. ':' .. name
    local length = ask('HLEN', key)
    if type(length) == 'table' then return fault(beside, key, 'hash', length) end
    if length == 0 then return end
    if length > maxFields[kind] then
      beside.faults = beside.faults or {}
      table.insert(beside.faults, {key, 'has more than ' .. maxFields[kind] .. ' fields'})
      return
    end
    beside.left = sooner(beside.left, key)
    return redis.call('HGETALL', key)
  end

  -- All of a frontend's hashes that make its site, and how many there are.
  local function site(name, beside)
    local hashes
    local count = 0
    for _, kind in ipairs(kinds) do
      local found
      if not denied or not denied[kind] then found = fields(kind, name, beside) end
      if found then
        hashes = hashes or {}
        hashes[kind] = found
        count = count + 1
      end
    end
    return hashes, count
  end

  -- How many of a host's keys there are, where the right to some kind of hash is missing.
  local function permitted(name, deadKey)
    local refused = denied
    if not refused then
      refused = {}
      for _, kind in ipairs(kinds) do
        -- Without the right to options there is nothing at all.
        local reply = kind ~= 'options' and ask('EXISTS', before .. kind .. ':*')
        if type(reply) == 'table' then refused[kind] = reply.err end
      end
      for _, kind in ipairs({'trial', 'checked', 'down'}) do
        local reply = ask('EXISTS', before .. kind .. ':*')
        if type(reply) == 'table' then refused[kind] = reply.err end
      end
    end
    local keys = {before .. 'prefixes:' .. name, deadKey}
    if not refused.trial then table.insert(keys, before .. 'trial:' .. string.sub(deadKey, deadAt)) end
    if not refused.checked then table.insert(keys, before .. 'checked:' .. name) end
    if not refused.down then table.insert(keys, before .. 'down:' .. name) end
    for _, kind in ipairs(kinds) do
      if not refused[kind] then
        table.insert(keys, before .. kind .. ':' .. name)
        table.insert(keys, before .. kind .. ':*')
      end
    end
    local count = ask('EXISTS', unpack(keys))
    if type(count) ~= 'table' then denied = refused end
    return count
  end

  -- The ids of backends that are in a set of URLs, or in those of the kind checked the ids of all others (checks.ts).
  local function idsBy(kind, name, list, beside)
    local key = before .. kind .. ':' .. name
    local urls = ask('SMEMBERS', key)
    if urls.err or #urls == 0 then return nil end
    beside.left = sooner(beside.left, key)
    local isIn = {}
    for _, url in ipairs(urls) do isIn[url] = true end
    local ids = {}
    for i = 2, #list do
      local is = isIn[string.match(list[i], '^%s*(.-)%s*$')] or false
      if is == (kind == 'down') then table.insert(ids, i - 2) end
    end
    return ids
  end

  local function denials()
    local faults
    for _, kind in ipairs({'trial', 'checked', 'down', unpack(kinds)}) do
      if denied[kind] then
        faults = faults or {}
        table.insert(faults, {before .. kind .. ':*', denied[kind]})
      end
    end
    return faults
  end
`;
