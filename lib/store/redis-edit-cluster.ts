import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { BookChange, Edit, EditOptions } from './book.ts';
import { MAX_LIST } from './limits.ts';
import { type EditKeys, plan, tooBusy, unchanged } from './redis-edit.ts';
import { deadCommands, heldOf, listCommands, notUnderstood, refusedBy } from './redis-held.ts';
import { isReplyError, type RedisLink } from './redis-link.ts';

const MAX_ATTEMPTS = 50;
const MAX_PAUSE_MS = 10;

/**
 * Puts a list in the place of another, unless that is another by now. KEYS: a `frontend:` key. ARGV: the type that stood
 * there (`long` for a list that is too long to be compared), the number of its elements that count, `keep` when an end of its life is to stay, those elements, then the new
 * ones: none to remove it. Returns 0 when it is another. A list that is the new one already will do: the command may
 * have come twice.
 */
const REPLACE = `
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
`;

const REPLACE_SHA = createHash('sha1').update(REPLACE).digest('hex');

/**
 * Edits a list in a cluster, where the dead marks are on another node: the list changes in one step, and the marks
 * follow right after.
 */
export async function editInCluster(
  link: RedisLink,
  keys: EditKeys,
  edit: Edit,
  { isForced = false, keepsEnd }: EditOptions & { readonly keepsEnd: boolean },
): Promise<BookChange> {
  const deadline = link.deadline();
  for (let attempt = 1; attempt <= MAX_ATTEMPTS && performance.now() < deadline; attempt++) {
    const replies = await link.sendAll([...listCommands(keys.list), ...deadCommands(keys.dead)], deadline);
    const list = heldOf(keys.list, replies.slice(0, 4));
    const planned = plan(list, heldOf(keys.dead, replies.slice(4)), edit, isForced);
    if (planned === null) return unchanged(list);
    const isLong = list.length > MAX_LIST;
    const old = list.type === 'list' && !isLong ? list.holds : [];
    const head = [isLong ? 'long' : list.type, String(old.length), keepsEnd ? 'keep' : ''];
    if (await replaced(link, [keys.list, ...head, ...old, ...(planned.change.after ?? [])], deadline)) {
      for (const command of planned.marks) await sendOrRefuse(link.send(command, deadline));
      return planned.change;
    }
    await delay(Math.random() * MAX_PAUSE_MS);
  }
  throw tooBusy(keys.list);
}

async function replaced(link: RedisLink, args: readonly string[], deadline: number): Promise<boolean> {
  const [key = '', ...rest] = args;
  const reply = await sendOrRefuse(evaluate(link, ['1', key, ...rest], deadline));
  if (reply !== 0 && reply !== 1) throw notUnderstood(reply);
  return reply === 1;
}

async function evaluate(link: RedisLink, args: readonly string[], deadline: number): Promise<unknown> {
  try {
    return await link.send(['evalsha', REPLACE_SHA, ...args], deadline);
  } catch (error) {
    if (!isReplyError(error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return await link.send(['eval', REPLACE, ...args], deadline);
  }
}

async function sendOrRefuse(reply: Promise<unknown>): Promise<unknown> {
  try {
    return await reply;
  } catch (error) {
    throw isReplyError(error) ? refusedBy(error) : error;
  }
}
