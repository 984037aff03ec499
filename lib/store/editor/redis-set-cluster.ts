import { isReplyError, type RedisLink } from '../redis-client/link.ts';
import { notUnderstood, type RedisCommand } from '../redis-client/protocol.ts';
import { evaluate, scriptOf } from '../redis-client/script.ts';
import { EditorError } from '../editor-error.ts';
import { changedPlaces } from './edit-rules.ts';
import { changedHashes, isSameList, isSameSet, SET_HASHES, type SetChange } from './frontend-set.ts';
import { replaced } from './redis-edit-cluster.ts';
import type { RedisRouteLog } from './redis-route-log.ts';
import { readCommands, type SetKeys, setsOf } from './redis-set-keys.ts';
import { hashChange, type SetWriting } from './redis-set-script.ts';
import { refusedBy } from './redis-stored-routes.ts';

/**
 * Changes a hash, if it is as expected, or already as wanted: the command may arrive twice. KEYS: the hash. ARGV[1]:
 * `before` and `after`, fields and values in turn, the fields to `set`, those that are `gone`, and `force`. Returns 1; 0 when
 * it has changed.
 */
const CHANGE_HASH = scriptOf(`
local ask = cjson.decode(ARGV[1])
local found = redis.call('TYPE', KEYS[1]).ok
if found ~= 'hash' and found ~= 'none' then
  if not ask.force then return 0 end
  redis.call('DEL', KEYS[1])
end
local function holds(flat)
  if redis.call('HLEN', KEYS[1]) * 2 ~= #flat then return false end
  for at = 1, #flat, 2 do
    if redis.call('HGET', KEYS[1], flat[at]) ~= flat[at + 1] then return false end
  end
  return true
end
if holds(ask.after) then return 1 end
if not holds(ask.before) then return 0 end
for at = 1, #ask.set, 2 do redis.call('HSET', KEYS[1], ask.set[at], ask.set[at + 1]) end
for _, field in ipairs(ask.gone) do redis.call('HDEL', KEYS[1], field) end
return 1
`);

/**
 * Writes a frontend in a cluster, where its keys are on several nodes: each key changes in one step, if it is as expected.
 * The list is the first. All keys are compared before, but not in the same step.
 * @returns false when one of them has changed; those before it in order are written
 */
export async function writeSetInCluster(
  link: RedisLink,
  keys: SetKeys,
  change: SetChange,
  { isForced, keepsEnd }: SetWriting,
  log: RedisRouteLog,
): Promise<boolean> {
  const { before, after } = change;
  const deadline = link.deadline();
  const [now] = setsOf([keys], await link.sendAll(readCommands(keys), deadline));
  if (now === undefined || !isSameSet(now, before)) return false;
  const [odd] = before.odd;
  if (odd !== undefined && !isForced) throw new EditorError('wrong-type', `${odd} holds another type`);
  if (!isSameList(before.list, after.list)) {
    const type = before.odd.includes(keys.list) ? await link.send(['type', keys.list], deadline) : 'list';
    const head = [before.list === null && type === 'list' ? 'none' : String(type), String(before.list?.length ?? 0)];
    const args = [keys.list, ...head, keepsEnd ? 'keep' : '', ...(before.list ?? []), ...(after.list ?? [])];
    if (!(await replaced(link, args, deadline))) return false;
    await sendEach(link, marksAndPaths(keys, change), deadline);
  }
  for (const kind of changedHashes(before.hashes, after.hashes)) {
    const ask = {
      before: [...before.hashes[kind]].flat(),
      after: [...after.hashes[kind]].flat(),
      ...hashChange(before.hashes[kind], after.hashes[kind]),
      force: isForced,
    };
    const key = keys.hashes[SET_HASHES.indexOf(kind)] ?? '';
    const reply = await orRefused(evaluate(link, CHANGE_HASH, ['1', key, JSON.stringify(ask)], deadline));
    if (reply !== 0 && reply !== 1) throw notUnderstood(reply);
    if (reply === 0) return false;
  }
  await log.add(link, log.entryOf(change));
  return true;
}

/** The commands for the dead marks and the prefix. */
function marksAndPaths({ dead, path }: SetKeys, { before, after }: SetChange): readonly RedisCommand[] {
  const isAll = after.list === null || before.list === null;
  const places = changedPlaces(before.list ?? [], after.list ?? []).map(String);
  const commands: RedisCommand[] = [];
  if (isAll) commands.push(['del', dead]);
  else if (places.length > 0) commands.push(['srem', dead, ...places]);
  if (path !== null) commands.push([after.list === null ? 'srem' : 'sadd', path.set, path.prefix]);
  return commands;
}

async function sendEach(link: RedisLink, commands: readonly RedisCommand[], deadline: number): Promise<void> {
  for (const command of commands) await orRefused(link.send(command, deadline));
}

async function orRefused(reply: Promise<unknown>): Promise<unknown> {
  try {
    return await reply;
  } catch (error) {
    throw isReplyError(error) ? refusedBy(error) : error;
  }
}
