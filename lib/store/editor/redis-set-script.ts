/** The script that writes a whole frontend, its arguments and its result. */
import type { SiteFields } from '../../core/routing/site.ts';
import { EditorError } from '../editor-error.ts';
import { notUnderstood } from '../redis-client/protocol.ts';
import { scriptOf } from '../redis-client/script.ts';
import { isTexts } from '../texts.ts';
import { changedPlaces } from './edit-rules.ts';
import { changedHashes, isSameList, SET_HASHES, type SetChange } from './frontend-set.ts';
import type { SetKeys } from './redis-set-keys.ts';
import type { LogEntry } from './route-log.ts';

/** How frontends are written. */
export interface SetWriting {
  readonly isForced: boolean;
  /** Whether lists keep their TTL. */
  readonly keepsEnd: boolean;
}

/**
 * Writes a frontend, if it is as expected: one step inside Redis. For one server, not for a cluster. KEYS: `frontend:`,
 * `dead:`, the hashes, then `prefixes:` for a frontend with a path, and the log of changes where it is kept. ARGV[1]: what
 * `argumentOf` makes. Returns 1, or 0 when the frontend has changed, or the name and the type of a key of another type.
 */
export const WRITE_SET = scriptOf(`
local ask = cjson.decode(ARGV[1])
local hashes = ${SET_HASHES.length}
local pathKey = ask.prefix and KEYS[3 + hashes]
local logKey = ask.log and KEYS[#KEYS]

local function typeOf(key) return redis.call('TYPE', key).ok end

for i = 1, 2 + hashes + (pathKey and 1 or 0) do
  local wanted = i == 1 and 'list' or (i == 2 or i > 2 + hashes) and 'set' or 'hash'
  local found = typeOf(KEYS[i])
  if found ~= 'none' and found ~= wanted then
    if not ask.force then return {KEYS[i], found} end
    redis.call('DEL', KEYS[i])
  end
end

local size = redis.call('LLEN', KEYS[1])
if size ~= (ask.list and #ask.list or 0) then return 0 end
if size > 0 then
  local list = redis.call('LRANGE', KEYS[1], 0, -1)
  for i = 1, size do if list[i] ~= ask.list[i] then return 0 end end
end
for i, flat in ipairs(ask.hashes) do
  if redis.call('HLEN', KEYS[2 + i]) * 2 ~= #flat then return 0 end
  for at = 1, #flat, 2 do
    if redis.call('HGET', KEYS[2 + i], flat[at]) ~= flat[at + 1] then return 0 end
  end
end

if ask.isNew then
  local left = redis.call('PTTL', KEYS[1])
  redis.call('DEL', KEYS[1])
  -- A call takes only so many arguments.
  for first = 1, #ask.after, 1000 do
    redis.call('RPUSH', KEYS[1], unpack(ask.after, first, math.min(first + 999, #ask.after)))
  end
  if ask.keepsEnd and left > 0 and #ask.after > 0 then redis.call('PEXPIRE', KEYS[1], left) end
  if ask.marks == 'all' then redis.call('DEL', KEYS[2]) end
  if type(ask.marks) == 'table' then
    for _, id in ipairs(ask.marks) do redis.call('SREM', KEYS[2], id) end
  end
end
for i, change in ipairs(ask.changes) do
  for at = 1, #change.set, 2 do redis.call('HSET', KEYS[2 + i], change.set[at], change.set[at + 1]) end
  for _, field in ipairs(change.gone) do redis.call('HDEL', KEYS[2 + i], field) end
end
if pathKey then redis.call(#ask.after > 0 and 'SADD' or 'SREM', pathKey, ask.prefix) end
-- A log that cannot be written must not prevent the change.
if logKey then redis.pcall('XADD', logKey, 'MAXLEN', '~', ask.log.most, '*', unpack(ask.log.fields)) end
return 1
`);

/** The fields to write and to remove. */
interface HashChange {
  readonly set: readonly string[];
  readonly gone: readonly string[];
}

/** The argument of WRITE_SET. @param log null where no log is kept */
export function argumentOf(
  { before, after }: SetChange,
  { path }: SetKeys,
  log: LogEntry | null,
  { isForced, keepsEnd }: SetWriting,
): string {
  const old = before.list ?? [];
  const list = after.list ?? [];
  const isAll = after.list === null || old.length === 0;
  return JSON.stringify({
    list: before.list ?? false,
    hashes: SET_HASHES.map((hash) => [...before.hashes[hash]].flat()),
    isNew: !isSameList(before.list, after.list),
    after: list,
    keepsEnd,
    marks: isAll ? 'all' : changedPlaces(old, list).map(String),
    changes: SET_HASHES.map((hash) => hashChange(before.hashes[hash], after.hashes[hash])),
    prefix: path?.prefix ?? false,
    log: log === null ? false : { most: String(log.most), fields: log.fields },
    force: isForced,
  });
}

/** Fields to write and to remove, to make one hash of another. */
export function hashChange(before: SiteFields, after: SiteFields): HashChange {
  return {
    set: [...after].filter(([field, text]) => before.get(field) !== text).flat(),
    gone: [...before.keys()].filter((field) => !after.has(field)),
  };
}

/** Whether the frontend was written; not if it has changed. @throws EditorError `wrong-type` */
export function isWritten(reply: unknown, { before, after }: SetChange): boolean {
  if (reply === 1 || reply === 0) return reply === 1;
  if (!isTexts(reply) || reply.length !== 2) throw notUnderstood(reply);
  const [key = '', type = ''] = reply;
  const count = changedHashes(before.hashes, after.hashes).length;
  const rest = count > 0 ? '; nothing of the frontend was written' : '';
  throw new EditorError('wrong-type', `${key} holds a ${type}${rest}`);
}
