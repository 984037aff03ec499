import { isTexts } from '../texts.ts';
import type { RedisCommand } from '../redis-client/protocol.ts';
import { isReplyError, type RedisLink } from '../redis-client/link.ts';
import { isCommandRefused } from '../redis-client/refusals.ts';
import { RedisSession } from '../redis-client/session.ts';
import { refusedBy } from './redis-stored-routes.ts';

/**
 * Removes a host's dead marks, with the records of their trials.
 * @param urls those of the host's list, in its order: a mark is for a position
 * @param url removes only the marks of this one; null for all
 * @returns how many backends were marked
 */
export async function clearMarks(
  write: RedisSession | RedisLink,
  prefix: string,
  host: string,
  urls: readonly string[],
  url: string | null,
): Promise<number> {
  const [dead, marks, trial] = [`${prefix}dead:${host}`, `${prefix}marks:${host}`, `${prefix}trial:${host}`];
  const send = async (commands: readonly RedisCommand[]): Promise<readonly unknown[]> =>
    write instanceof RedisSession
      ? await write.run((own) => own.sendAll(commands))
      : await write.sendAll(commands, write.deadline());
  const [members] = await send([['smembers', dead]]);
  if (isReplyError(members)) throw refusedBy(members);
  const marked = isTexts(members) ? members : [];
  const wanted = marked.filter((id) => url === null || urls[Number(id)]?.trim() === url);
  if (url === null)
    await sendChecked(send, [
      ['del', dead],
      ['del', marks],
      ['del', trial],
    ]);
  else if (wanted.length > 0) {
    await sendChecked(send, [
      ['srem', dead, ...wanted],
      ['hdel', marks, ...wanted],
      ['hdel', trial, url],
    ]);
  }
  return wanted.length;
}

/** Without the right to the records, the marks go: records without marks end by themselves. */
async function sendChecked(
  send: (commands: readonly RedisCommand[]) => Promise<readonly unknown[]>,
  commands: readonly RedisCommand[],
): Promise<void> {
  const [first, ...others] = await send(commands);
  if (isReplyError(first)) throw refusedBy(first);
  const refusal = others.find((reply) => isReplyError(reply) && !isCommandRefused(reply));
  if (isReplyError(refusal)) throw refusedBy(refusal);
}
