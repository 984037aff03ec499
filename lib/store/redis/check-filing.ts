/** Files the results of active checks by plain commands, in any order of keys: for a cluster, and without scripts. */
import { type CheckOutcome, type CheckReport, hasSharedList } from '../checks.ts';
import { MAX_LIST } from '../limits.ts';
import { isReplyError, type RedisLink } from '../redis-client/link.ts';
import type { RedisCommand } from '../redis-client/protocol.ts';
import { isCommandRefused } from '../redis-client/refusals.ts';
import { isTexts } from '../texts.ts';
import { flatOf } from './site-metadata.ts';

/** What this needs of a link. */
type Link = Pick<RedisLink, 'sendAll' | 'deadline'>;

/** A URL may outlive its mark by so much, ms. */
const LAG_MS = 1_000;

/** What became of reports. */
export interface Filed {
  /** In their order. */
  readonly outcomes: readonly CheckOutcome[];
  /** Why Redis refuses a command that they need; null when it does not. */
  readonly refusal: string | null;
}

/** @param before the prefix of all keys @throws RouterError `store-unavailable` */
export async function fileReports(link: Link, before: string, reports: readonly CheckReport[]): Promise<Filed> {
  const outcomes = reports.map((): CheckOutcome => 'failed');
  const byKey = new Map<string, number[]>();
  for (const [i, { key }] of reports.entries()) byKey.set(key, [...(byKey.get(key) ?? []), i]);
  let refusal: string | null = null;
  const fileList = async (places: readonly number[]): Promise<void> => {
    // One after the other: the first may make the next the last living one.
    for (const i of places) {
      const report = reports[i];
      if (report === undefined) continue;
      try {
        outcomes[i] = await fileReport(link, before, report);
      } catch (error) {
        if (!isReplyError(error)) throw error;
        if (isCommandRefused(error)) refusal ??= error.message;
      }
    }
  };
  await Promise.all([...byKey.values()].map(fileList));
  return { outcomes, refusal };
}

/** @throws Redis' error reply, or RouterError `store-unavailable` */
async function fileReport(link: Link, before: string, report: CheckReport): Promise<CheckOutcome> {
  const { key, url, result, isGood, action, keepMs } = report;
  const [isChecked] = await all(link, [['exists', `${before}healthcheck:${key}`]]);
  if (isChecked !== 1) return 'gone';
  const results = `${before}check:${key}`;
  await all(link, [
    ['hset', results, url, result],
    ['pexpire', results, String(keepMs)],
  ]);
  if (isGood) await noteGood(link, before, report);
  if (action === 'none') return 'noted';
  const marks = await readMarks(link, before, key);
  const places = marks.list.flatMap((each, i) => (each === url ? [i] : []));
  if (places.length === 0) {
    await all(link, [['hdel', results, url]]);
    return 'moved';
  }
  if (action === 'mark') return await mark(link, before, marks, places, report);
  const marked = places.filter((i) => marks.routers.has(i));
  if (marked.length === 0) return 'noted';
  if (action === 'renew') return await renew(link, marks, report);
  await remove(link, marks, marked);
  return 'cleared';
}

async function noteGood(link: Link, before: string, { key, url, keepMs }: CheckReport): Promise<void> {
  const checked = `${before}checked:${key}`;
  const [, left] = await all(link, [
    ['sadd', checked, url],
    ['pttl', checked],
  ]);
  // Each change of its time limit is one that all routers read.
  if (typeof left === 'number' && left < keepMs / 2) await all(link, [['pexpire', checked, String(keepMs)]]);
}

/** The marks of one list. */
interface ListMarks {
  readonly key: string;
  readonly isShared: boolean;
  /** `dead:<key>` and `marks:<key>`, or `down:<key>` twice. */
  readonly names: readonly [members: string, urls: string];
  /** The URLs, trimmed. */
  readonly list: readonly string[];
  /** Marks of routers, for the URLs at these positions, and those of others. */
  readonly routers: ReadonlySet<number>;
  readonly others: ReadonlySet<number>;
  /** Until they expire, ms; negative without a time limit, or without marks. */
  readonly leftMs: number;
}

async function readMarks(link: Link, before: string, key: string): Promise<ListMarks> {
  const isShared = hasSharedList(key);
  const names = isShared
    ? ([`${before}down:${key}`, `${before}down:${key}`] as const)
    : ([`${before}dead:${key}`, `${before}marks:${key}`] as const);
  const [elements, members, left, hash] = await all(link, [
    ['lrange', `${before}frontend:${key}`, '1', String(MAX_LIST)],
    ['smembers', names[0]],
    ['pttl', names[0]],
    ...(isShared ? [] : [['hgetall', names[1]] as const]),
  ]);
  const list = isTexts(elements) ? elements.map((url) => url.trim()) : [];
  const marked = new Set(isTexts(members) ? members : []);
  const flat = flatOf(hash);
  const urls = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) urls.set(flat[i] ?? '', flat[i + 1] ?? '');
  const routers = new Set<number>();
  const others = new Set<number>();
  for (const [i, url] of list.entries()) {
    const id = String(i);
    if (isShared ? marked.has(url) : marked.has(id) && urls.get(id) === url) routers.add(i);
    else if (!isShared && marked.has(id) && !urls.has(id)) others.add(i);
  }
  return { key, isShared, names, list, routers, others, leftMs: typeof left === 'number' ? left : -1 };
}

function isLast({ list, routers, others }: ListMarks, { url, unusable }: CheckReport): boolean {
  return list.every((each, i) => each === url || unusable.includes(each) || routers.has(i) || others.has(i));
}

/**
 * Marks the backend, unless it is the last that lives. Two routers at once may both find that another one lives. So the mark
 * is made, then checked, and removed if it was the last.
 */
async function mark(
  link: Link,
  before: string,
  marks: ListMarks,
  places: readonly number[],
  report: CheckReport,
): Promise<CheckOutcome> {
  if (isLast(marks, report)) return 'last';
  // A mark of an operator or another checker stays theirs.
  const ours = places.filter((i) => !marks.others.has(i));
  if (ours.length === 0) return 'kept';
  const added = ours.filter((i) => !marks.routers.has(i));
  const ttl = String(report.life.ttlMs);
  const renews = marks.leftMs < report.life.renewMs;
  const [members, urls] = marks.names;
  if (!marks.isShared) {
    // First: otherwise the mark would count for any URL for a moment.
    const pairs = added.flatMap((i) => [String(i), report.url]);
    await all(link, [
      ...(pairs.length > 0 ? [['hset', urls, ...pairs] as const] : []),
      // A URL that ended before its mark would make that another checker's; one without a limit would outlive it.
      ...(renews ? [['pexpire', urls, ttl] as const] : []),
      ...(!renews && pairs.length > 0 ? [['pexpire', urls, String(marks.leftMs + LAG_MS)] as const] : []),
    ]);
  }
  const ids = marks.isShared ? added.slice(0, 1).map(() => report.url) : added.map(String);
  await all(link, [
    ...(ids.length > 0 ? [['sadd', members, ...ids] as const] : []),
    ...(renews ? [['pexpire', members, ttl] as const] : []),
  ]);
  if (added.length === 0) return 'kept';
  if (isLast(await readMarks(link, before, marks.key), report)) {
    await remove(link, marks, added);
    return 'last';
  }
  if (!marks.isShared) await announce(link, marks, added, report);
  return 'marked';
}

/** Extends a mark that is there. */
async function renew(link: Link, { leftMs, names }: ListMarks, { life }: CheckReport): Promise<CheckOutcome> {
  if (leftMs >= life.renewMs) return 'kept';
  // The URL first: one that ended before its mark would make that another checker's.
  await all(
    link,
    names.toReversed().map((name) => ['pexpire', name, String(life.ttlMs)] as const),
  );
  return 'kept';
}

/** A mark counts even if the announcement is refused. */
async function announce(
  link: Link,
  { key, list }: ListMarks,
  added: readonly number[],
  { entry }: CheckReport,
): Promise<void> {
  const messages = added.map((i) => ['publish', 'dead', `${key};${entry};${i};${list.length}`] as const);
  await link.sendAll(messages, link.deadline());
}

/** Removes routers' marks of the backends at these positions. */
async function remove(
  link: Link,
  { isShared, names: [members, urls], list }: ListMarks,
  places: readonly number[],
): Promise<void> {
  await all(link, [['srem', members, ...places.map((i) => (isShared ? (list[i] ?? '') : String(i)))]]);
  // Last: otherwise the mark would count for any URL for a moment.
  if (!isShared) await all(link, [['hdel', urls, ...places.map(String)]]);
}

/** @throws the first error reply */
async function all(link: Link, commands: readonly RedisCommand[]): Promise<readonly unknown[]> {
  if (commands.length === 0) return [];
  const replies = await link.sendAll(commands, link.deadline());
  const error = replies.find(isReplyError);
  if (error !== undefined) throw error;
  return replies;
}
