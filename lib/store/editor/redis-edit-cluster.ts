import { setTimeout as delay } from 'node:timers/promises';
import { type ListChange, type Edit, type EditOptions, type FieldChanges, type FieldsChange } from './route-editor.ts';
import { withFields } from './edit-rules.ts';
import { fieldsOf } from '../fields.ts';
import { MAX_LIST } from '../limits.ts';
import { tooBusy } from './redis-edit.ts';
import { editCommands, type EditKeys, mustGo, planOf } from './redis-edit-plan.ts';
import type { LogOfEdit } from './redis-route-log.ts';
import { evaluate, scriptOf } from '../redis-client/script.ts';
import { refusedBy } from './redis-stored-routes.ts';
import { isReplyError, type RedisLink } from '../redis-client/link.ts';
import { isTexts } from '../texts.ts';
import { notUnderstood } from '../redis-client/protocol.ts';

const MAX_ATTEMPTS = 50;
const MAX_PAUSE_MS = 10;

/**
 * Replaces a list, unless it has changed meanwhile. KEYS: a `frontend:` key. ARGV: its former type (`long` for a list
 * that is too long to be compared), the number of its elements to compare, `keep` to keep its TTL, those elements, then
 * the new ones; none to remove the key. Returns 0 when it has changed. A list that equals the new one is accepted: the
 * command may arrive twice.
 */
const REPLACE = scriptOf(`
local type = redis.call('TYPE', KEYS[1]).ok
local size = tonumber(ARGV[2])
local fresh = #ARGV - 3 - size

local function holds(first, count)
  if count == 0 then return type == 'none' end
  if type ~= 'list' or redis.call('LLEN', KEYS[1]) ~= count then return false end
  local list = redis.call('LRANGE', KEYS[1], 0, -1)
  for i = 1, count do
    if list[i] ~= ARGV[first + i - 1] then return false end
  end
  return true
end

if holds(4 + size, fresh) then return 1 end
local isExpected
if ARGV[1] == 'list' then
  isExpected = holds(4, size)
elseif ARGV[1] == 'long' then
  isExpected = type == 'list' and redis.call('LLEN', KEYS[1]) > ${MAX_LIST}
else
  isExpected = type == ARGV[1]
end
if not isExpected then return 0 end
local left = redis.call('PTTL', KEYS[1])
redis.call('DEL', KEYS[1])
-- A call takes only so many arguments.
for first = 4 + size, #ARGV, 1000 do
  redis.call('RPUSH', KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
if ARGV[3] == 'keep' and left > 0 and fresh > 0 then redis.call('PEXPIRE', KEYS[1], left) end
return 1
`);

/**
 * Changes fields of a hash. KEYS: the hash. ARGV: `force` to replace another type, the number of fields to set, those
 * with their values, then the fields to remove. Returns the former type, and the former fields.
 */
const CHANGE_FIELDS = scriptOf(`
local type = redis.call('TYPE', KEYS[1]).ok
if type ~= 'hash' and type ~= 'none' then
  if ARGV[1] ~= 'force' then return {type, {}} end
  redis.call('DEL', KEYS[1])
end
local before = redis.call('HGETALL', KEYS[1])
local last = 2 + 2 * tonumber(ARGV[2])
for i = 3, last, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
for i = last + 1, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
return {type, before}
`);

/**
 * Edits a list in a cluster, where the dead marks and the prefixes are on other nodes: the list changes in one step,
 * and they follow right after.
 */
export async function editInCluster(
  link: RedisLink,
  keys: EditKeys,
  edit: Edit,
  { isForced = false, keepsEnd }: EditOptions & { readonly keepsEnd: boolean },
  log: LogOfEdit,
): Promise<ListChange> {
  const deadline = link.deadline();
  for (let attempt = 1; attempt <= MAX_ATTEMPTS && performance.now() < deadline; attempt++) {
    const planned = planOf(keys, await link.sendAll(editCommands(keys), deadline), edit, isForced);
    const { change, list } = planned;
    const isLong = list.length > MAX_LIST;
    const old = list.type === 'list' && !isLong ? list.holds : [];
    const head = [isLong ? 'long' : list.type, String(old.length), keepsEnd ? 'keep' : ''];
    const args = [keys.list, ...head, ...old, ...(change.after ?? [])];
    if (!planned.isNew || (await replaced(link, args, deadline))) {
      for (const command of [...planned.marks, ...planned.paths]) await sendOrRefuse(link.send(command, deadline));
      if (planned.isNew) await log.log.add(link, log.entryOfList(change));
      return change;
    }
    await delay(Math.random() * MAX_PAUSE_MS);
  }
  throw tooBusy(keys.list);
}

/** Changes fields of a hash in one step. Idempotent. */
export async function changeFieldsInCluster(
  link: RedisLink,
  key: string,
  changes: FieldChanges,
  isForced: boolean,
  log: LogOfEdit,
): Promise<FieldsChange> {
  const pairs = [...changes].flatMap(([field, text]) => (text === null ? [] : [field, text]));
  const gone = [...changes].flatMap(([field, text]) => (text === null ? [field] : []));
  const args = ['1', key, isForced ? 'force' : '', String(pairs.length / 2), ...pairs, ...gone];
  const reply = await sendOrRefuse(evaluate(link, CHANGE_FIELDS, args, link.deadline()));
  const [type, flat]: unknown[] = Array.isArray(reply) ? reply : [];
  if (typeof type !== 'string' || !isTexts(flat)) throw notUnderstood(reply);
  mustGo({ key, type }, 'hash', isForced);
  const before = fieldsOf(flat);
  const after = withFields(before, changes);
  await log.log.add(link, log.entryOfHash(before, after));
  return { before, after };
}

/** Replaces a list by the script REPLACE, whose key and arguments these are. Returns false when it has changed. */
export async function replaced(link: RedisLink, args: readonly string[], deadline: number): Promise<boolean> {
  const [key = '', ...rest] = args;
  const reply = await sendOrRefuse(evaluate(link, REPLACE, ['1', key, ...rest], deadline));
  if (reply !== 0 && reply !== 1) throw notUnderstood(reply);
  return reply === 1;
}

async function sendOrRefuse(reply: Promise<unknown>): Promise<unknown> {
  try {
    return await reply;
  } catch (error) {
    throw isReplyError(error) ? refusedBy(error) : error;
  }
}
