/** The difference between two states of a frontend, for people. Pure functions. */
import {
  type FrontendSet,
  isNoSet,
  isSameList,
  isSameSet,
  SET_HASHES,
  type SetHash,
} from '../store/editor/frontend-set.ts';
import { counted } from './show-fault.ts';

/** What happens to a frontend. */
export type ChangeKind = 'created' | 'changed' | 'removed' | 'unchanged';

const SIGNS: Readonly<Record<ChangeKind, string>> = { created: '+', changed: '~', removed: '-', unchanged: ' ' };
const NOUNS: Readonly<Record<SetHash, string>> = {
  options: 'option',
  headers: 'header',
  weights: 'weight',
  healthcheck: 'check',
  errors: 'page',
};
/** A longer value is shown by its length. */
const MAX_SHOWN = 80;

export function kindOf(before: FrontendSet, after: FrontendSet): ChangeKind {
  if (isSameSet(before, after)) return 'unchanged';
  if (isNoSet(before)) return 'created';
  return isNoSet(after) ? 'removed' : 'changed';
}

/** The difference as lines, the first with the key. */
export function diffLines(key: string, before: FrontendSet, after: FrontendSet): readonly string[] {
  const kind = kindOf(before, after);
  const backends = after.list === null ? 'no list' : counted(after.list.length - 1, 'backend');
  const head = `${SIGNS[kind]} ${key}: ${kind}${kind === 'created' ? `, ${backends}` : ''}`;
  if (kind === 'removed') return [head];
  const lines = [...(kind === 'created' ? [] : listLines(before.list, after.list)), ...fieldDiff(before, after)];
  return [head, ...lines.map((line) => `    ${line}`)];
}

/** The difference of the hashes. */
export function fieldDiff(before: FrontendSet, after: FrontendSet): readonly string[] {
  return SET_HASHES.flatMap((hash) => fieldLines(hash, before, after));
}

function listLines(before: FrontendSet['list'], after: FrontendSet['list']): readonly string[] {
  if (isSameList(before, after)) return [];
  if (after === null) return ['- list'];
  const [oldName, ...old] = before ?? [];
  const [name, ...fresh] = after;
  const gone = withoutEach(old, fresh).map((url) => `- backend ${url}`);
  const added = withoutEach(fresh, old).map((url) => `+ backend ${url}`);
  const named = name === oldName ? [] : [`~ name ${JSON.stringify(oldName ?? '')} -> ${JSON.stringify(name)}`];
  const lines = [...named, ...gone, ...added];
  return lines.length > 0 ? lines : ['~ backends in another order'];
}

function fieldLines(hash: SetHash, before: FrontendSet, after: FrontendSet): readonly string[] {
  const [old, fresh] = [before.hashes[hash], after.hashes[hash]];
  const lines: string[] = [];
  for (const [field, text] of old) if (!fresh.has(field)) lines.push(`- ${NOUNS[hash]} ${field}: ${shown(text)}`);
  for (const [field, text] of fresh) {
    const was = old.get(field);
    if (was === undefined) lines.push(`+ ${NOUNS[hash]} ${field}: ${shown(text)}`);
    else if (was !== text) lines.push(`~ ${NOUNS[hash]} ${field}: ${shown(was)} -> ${shown(text)}`);
  }
  return lines;
}

/** The elements of a list that another does not have, or not as often. */
function withoutEach(list: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map<string, number>();
  for (const each of others) left.set(each, (left.get(each) ?? 0) + 1);
  return list.filter((each) => {
    const count = left.get(each) ?? 0;
    if (count > 0) left.set(each, count - 1);
    return count === 0;
  });
}

function shown(text: string): string {
  return text.length > MAX_SHOWN ? `${text.length} characters` : JSON.stringify(text);
}
