import type { Backend, Death } from '../../core/routing/types.ts';
import { isLastLiving } from '../../core/routing/selection.ts';
import { MAX_LIST } from '../limits.ts';
import { evaluate, scriptOf } from '../redis-client/script.ts';
import { isReplyError, type RedisLink } from '../redis-client/link.ts';
import { isCommandRefused, isScriptRefused } from '../redis-client/refusals.ts';
import { isTexts } from '../texts.ts';
import type { Marking } from '../store.ts';
import type { RedisCommand } from '../redis-client/protocol.ts';
import { IS_REMOVED, RECORD, RECORD_DEATH, TIME } from './trial-scripts.ts';

/**
 * Marks a backend dead, unless no other backend of the list is alive: one step inside Redis, so that two routers cannot
 * mark the last two backends at the same time. A backend that waits for its trial is not alive. KEYS: `dead:`, `marks:` and
 * `trial:` of the host, and the list's `frontend:` and `check:`, and its `down:` where that counts for the host. ARGV: the id, its URL, seconds, the number of backends in the list, how
 * to record the death (`RecordAs`), then the ids of unusable ones. Returns a `Marking`. Where the list is not on the server
 * that takes marks, the router's own reading of it decides.
 */
const MARK = scriptOf(`
${TIME}${IS_REMOVED}${RECORD}
local id, url, seconds = ARGV[1], ARGV[2], ARGV[3]
local list = redis.pcall('LRANGE', KEYS[4], 1, ${MAX_LIST})
local isKnown = not list.err and #list > 0

local function urlAt(i)
  return string.match(list[i + 1] or '', '^%s*(.-)%s*$')
end

if isKnown and urlAt(tonumber(id)) ~= url then return 'moved' end

local isUnusable = {[id] = true}
for i = 6, #ARGV do isUnusable[ARGV[i]] = true end

-- URLs that fail their checks. Without the right to that, none do.
local isDown = {}
for _, failed in ipairs(KEYS[6] and redis.pcall('SMEMBERS', KEYS[6]) or {}) do isDown[failed] = true end

local function isOnTrial(at)
  local found = redis.pcall('HGET', KEYS[3], at)
  if type(found) ~= 'string' then return false end
  local now = time()
  return now ~= nil and not isRemoved(found, now)
end

local function isDead(i, name)
  local is = redis.call('SISMEMBER', KEYS[1], name)
  if is == 0 and isKnown and ARGV[5] ~= '' then return isOnTrial(urlAt(i)) end
  if is == 0 or not isKnown then return is == 1 end
  local marked = redis.pcall('HGET', KEYS[2], name)
  return type(marked) ~= 'string' or marked == urlAt(i)
end

local type_ = redis.call('TYPE', KEYS[1]).ok
if type_ ~= 'set' and type_ ~= 'none' then return redis.error_reply('WRONGTYPE it is a ' .. type_) end
local lives = false
for i = 0, (isKnown and #list or tonumber(ARGV[4])) - 1 do
  local name = string.format('%d', i)
  if not isUnusable[name] and not isDown[urlAt(i)] and not isDead(i, name) then
    lives = true
    break
  end
end
if not lives then return 'last' end
local added = redis.call('SADD', KEYS[1], id)
-- A mark of an operator or another checker stays theirs: this request was sent before it.
if added == 1 or type(redis.pcall('HGET', KEYS[2], id)) == 'string' then redis.pcall('HSET', KEYS[2], id, url) end
local isChecked = redis.pcall('EXISTS', KEYS[5]) == 1
-- A set has one time limit. Marks of checks have a longer one, until their next check but one, which is kept.
local left = isChecked and redis.pcall('PTTL', KEYS[1])
if type(left) == 'number' and left > seconds * 1000 then
  seconds = string.format('%.0f', math.ceil(left / 1000))
else
  redis.call('EXPIRE', KEYS[1], seconds)
end
redis.pcall('EXPIRE', KEYS[2], seconds)
-- Without the right to it, there are no trials. Where the list is checked, the checks decide.
if ARGV[5] ~= '' and not isChecked then pcall(record, KEYS[3], url, seconds * 1000, ARGV[5] == 'again', added == 1) end
return 'marked'
`);

/** How a death is recorded for trials: not at all, as the first one, or as that of a backend on trial. */
type RecordAs = '' | 'first' | 'again';

/**
 * The same on the cluster node that has the key, based on the router's reading of the list. KEYS: `dead:` of the host.
 * ARGV: the id, seconds, then the ids of the other usable backends. Returns `new` for a mark that was not there.
 */
const MARK_IN_CLUSTER = scriptOf(`
local lives = false
for i = 3, #ARGV do
  if redis.call('SISMEMBER', KEYS[1], ARGV[i]) == 0 then
    lives = true
    break
  end
end
if not lives then return 'last' end
local added = redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return added == 1 and 'new' or 'marked'
`);

/**
 * Both or neither: a URL without expiry would outlive its mark. KEYS: `marks:` of the host. ARGV: the id, its URL,
 * seconds.
 */
const NOTE_URL = scriptOf(`
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
`);

/**
 * Marks a backend dead in Redis, with the URL that the mark is for.
 * @param before the prefix of all keys
 * @param hasTrials whether the death is recorded, so that the backend needs a trial afterwards
 * @throws as `RedisLink.send`: an error reply, or RouterError `store-unavailable`
 */
export async function markInRedis(
  link: RedisLink,
  before: string,
  death: Death,
  ttlSeconds: number,
  hasTrials: boolean,
): Promise<Exclude<Marking, 'announced'>> {
  const { frontend, key, size, onTrial } = death.route;
  const { id, href } = death.backend;
  const keys = [`${before}dead:${frontend}`, `${before}marks:${frontend}`, `${before}trial:${frontend}`] as const;
  const recordAs: RecordAs = !hasTrials ? '' : onTrial.has(id) ? 'again' : 'first';
  const seconds = String(Math.ceil(ttlSeconds));
  const deadline = link.deadline();
  if (!link.isOneServer) {
    const { living, isChecked, isTheirs, seconds: kept } = await beforeMark(link, before, death, seconds, deadline);
    const others = living.filter((each) => each.id !== id).map((each) => String(each.id));
    // First: otherwise the mark would count for any URL for a moment.
    if (!isTheirs) await noteUrl(link, keys[1], [String(id), href, kept], deadline);
    const args = ['1', keys[0], String(id), kept, ...others];
    const reply = await evaluate(link, MARK_IN_CLUSTER, args, deadline);
    const marking = markingOf(reply);
    // Where the list is checked, the checks decide.
    if (marking !== 'marked' || recordAs === '' || isChecked) return marking;
    const ms = String(Number(seconds) * 1000);
    await recordDeath(link, [keys[2], href, ms, recordAs, reply === 'new' ? 'new' : 'renewed'], deadline);
    return marking;
  }
  try {
    const ofList = [`${before}frontend:${key}`, `${before}check:${key}`];
    const all = [...keys, ...ofList, ...(frontend === key ? [] : [`${before}down:${key}`])];
    const args = [String(id), href, seconds, String(size), recordAs, ...unusableOf(death.route)];
    return markingOf(await evaluate(link, MARK, [String(all.length), ...all, ...args], deadline));
  } catch (error) {
    if (!isReplyError(error) || !isScriptRefused(error)) throw error;
    return await markWithoutScript(
      link,
      keys,
      death,
      await beforeMark(link, before, death, seconds, deadline),
      deadline,
    );
  }
}

/** The ids of backends whose URL cannot be used. */
function unusableOf({ size, backends }: Death['route']): readonly string[] {
  if (backends.length === size) return [];
  const usable = new Set(backends.map(({ id }) => id));
  return Array.from({ length: size }, (_, id) => id)
    .filter((id) => !usable.has(id))
    .map(String);
}

/** What the script MARK sees of a list and of its checks. */
interface BeforeMark {
  /** The backends that do not fail the checks of a list that hosts of other names have. All, where that cannot be read. */
  readonly living: readonly Backend[];
  readonly isChecked: boolean;
  /** The backend has a mark of an operator or another checker, which stays theirs: without a URL. */
  readonly isTheirs: boolean;
  /** The time limit of the set: marks of checks have a longer one, which is kept. */
  readonly seconds: string;
}

async function beforeMark(
  link: RedisLink,
  before: string,
  { route: { backends, frontend, key }, backend }: Death,
  seconds: string,
  deadline: number,
): Promise<BeforeMark> {
  const id = String(backend.id);
  const commands: RedisCommand[] = [
    ['exists', `${before}check:${key}`],
    ['pttl', `${before}dead:${frontend}`],
    ['sismember', `${before}dead:${frontend}`, id],
    ['hget', `${before}marks:${frontend}`, id],
  ];
  if (frontend !== key) commands.push(['smembers', `${before}down:${key}`]);
  const [exists, left, isMarked, url, members] = await link.sendAll(commands, deadline);
  const isChecked = exists === 1;
  const down = new Set(isTexts(members) ? members : []);
  const isLonger = isChecked && typeof left === 'number' && left > Number(seconds) * 1000;
  return {
    living: backends.filter(({ href }) => !down.has(href)),
    isChecked,
    isTheirs: isMarked === 1 && url === null,
    seconds: isLonger ? String(Math.ceil(left / 1000)) : seconds,
  };
}

/** Without permission for `marks:`, the mark counts for whatever URL is at that position. */
async function noteUrl(link: RedisLink, key: string, args: readonly string[], deadline: number): Promise<void> {
  try {
    await evaluate(link, NOTE_URL, ['1', key, ...args], deadline);
  } catch (error) {
    if (!isReplyError(error)) throw error;
  }
}

/** Without it, the mark ends without a trial. */
async function recordDeath(link: RedisLink, args: readonly string[], deadline: number): Promise<void> {
  try {
    await evaluate(link, RECORD_DEATH, ['1', ...args], deadline);
  } catch (error) {
    if (!isReplyError(error)) throw error;
  }
}

/**
 * For servers that refuse scripts, and users without permission for `marks:`. Two routers at once may both find that
 * another backend is alive. So the mark is made, then checked, and removed if it was the last. Transactions have one
 * order for all routers, so that one of the two sees both marks.
 */
async function markWithoutScript(
  link: RedisLink,
  [dead, marks]: readonly [dead: string, marks: string, trial: string],
  { backend }: Death,
  { living, isTheirs, seconds }: BeforeMark,
  deadline: number,
): Promise<'marked' | 'last'> {
  const id = String(backend.id);
  const isLast = (members: unknown): boolean => {
    const known = new Set(isTexts(members) ? members : []);
    return isLastLiving(living, backend.id, (other) => known.has(String(other)));
  };
  if (isLast(await link.send(['smembers', dead], deadline))) return 'last';
  // Separately: a transaction is refused as a whole.
  if (!isTheirs) {
    await link.sendAll(transaction(['hset', marks, id, backend.href], ['expire', marks, seconds]), deadline);
  }
  const commands = transaction(['sadd', dead, id], ['expire', dead, seconds], ['smembers', dead]);
  const replies = await link.sendAll(commands, deadline);
  const made = madeOf(replies);
  const results = Array.isArray(made) ? (made as unknown[]) : [];
  const fault = (made === replies.at(-1) ? [...replies, ...results] : results).find(isReplyError);
  if (fault !== undefined) throw fault;
  const [added, , members]: unknown[] = Array.isArray(made) ? made : [];
  if (!isLast(members)) return 'marked';
  // An existing mark may be another router's.
  if (added === 1) await link.send(['srem', dead, id], deadline);
  return 'last';
}

/** The replies of a transaction's commands. A proxy without transactions has executed each by itself. */
function madeOf(replies: readonly unknown[]): unknown {
  const [begun] = replies;
  return isReplyError(begun) && isCommandRefused(begun) ? replies.slice(1, -1) : replies.at(-1);
}

function transaction(...commands: readonly RedisCommand[]): readonly RedisCommand[] {
  return [['multi'], ...commands, ['exec']];
}

function markingOf(reply: unknown): 'marked' | 'last' | 'moved' {
  return reply === 'last' || reply === 'moved' ? reply : 'marked';
}
