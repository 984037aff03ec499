/** Edits of frontends that are asked for: the whole list, one backend, dead marks. */
import { candidates } from '../core/routing/hostname.ts';
import { splitKey } from '../core/routing/prefixes.ts';
import type { Fault, FaultCode } from '../diagnostics/fault.ts';
import { faultsOfNewList } from '../diagnostics/frontend.ts';
import { readKey } from '../diagnostics/key-faults.ts';
import { editSet } from '../store/editor/edit-set.ts';
import type { Edit, ListChange, RouteEditor } from '../store/editor/route-editor.ts';
import { isTexts } from '../store/texts.ts';
import { checkCondition, conditionOf } from './conditions.ts';
import { type Asked, nothing, Refusal, type Reply } from './reply.ts';

/** Faults that are always refused: no operator can intend them. */
const REFUSED: ReadonlySet<FaultCode> = new Set([
  'too-long',
  'no-identifier',
  'identifier-last',
  'no-scheme',
  'bad-scheme',
  'bad-url',
  'two-urls',
]);
/** Errors in a host name that are corrected silently; clients make them, too. */
const FORGIVEN: ReadonlySet<FaultCode> = new Set(['upper-case', 'trailing-dot', 'space-in-key', 'idn-key']);

/** The key to write. @throws Refusal when no request could match it */
export function meantBy(host: string, editor: RouteEditor): string {
  const { meant, faults } = readKey(host, editor.advice);
  if (meant === null || faults.some(({ code }) => !FORGIVEN.has(code))) throw faulty(faults);
  return meant;
}

/** Whether the query has `force`. */
export function isForced(query: URLSearchParams): boolean {
  return ['', '1', 'true'].includes(query.get('force') ?? 'no');
}

/** Replaces a list, or creates it. @returns whether it is new */
export async function putList(asked: Asked, key: string, editor: RouteEditor): Promise<boolean> {
  const list = listOf(await asked.body());
  throwIfAny(faultsOfNewList(key, list, editor.advice).filter(({ code }) => REFUSED.has(code)));
  const { before } = await edited(asked, key, editor, list);
  return before === null;
}

/** Adds a backend at the end of a list. Of a frontend that has it already, nothing changes. @returns whether it is new */
export async function addBackend(asked: Asked, key: string, editor: RouteEditor): Promise<boolean> {
  const { url, name } = addition(await asked.body());
  throwIfAny(faultsOfNewList(key, [name ?? 'name', url], editor.advice).filter(({ code }) => REFUSED.has(code)));
  const { before, after } = await edited(asked, key, editor, (list) => {
    if (list.length === 0 && name === null) throw noFrontend(key);
    const start = list.length === 0 ? [name ?? ''] : list;
    return start.slice(1).some((each) => each.trim() === url) ? list : [...start, url];
  });
  return before?.length !== after?.length;
}

/** Removes a backend from a list. */
export async function removeBackend(asked: Asked, key: string, editor: RouteEditor): Promise<void> {
  const url = asked.query.get('url');
  if (url === null) throw new Refusal(400, 'bad-url', 'say which backend: ?url=http://10.0.0.1:8080');
  await edited(asked, key, editor, (list) => {
    const kept = list.filter((each, i) => i === 0 || each.trim() !== url);
    if (list.length === 0) throw noFrontend(key);
    if (kept.length === list.length) throw new Refusal(404, 'no-backend', `${key} has no backend ${url}`);
    if (kept.length === 1 && !isForced(asked.query)) {
      throw new Refusal(409, 'last-backend', `${url} is the last backend of ${key}; ?force removes it`);
    }
    return kept;
  });
}

/** @param host the key as it is, or as a host: keys that no request can match must be removable */
export async function removeFrontend(asked: Asked, host: string, editor: RouteEditor): Promise<Reply> {
  const { meant } = readKey(host, editor.advice);
  for (const key of new Set([host, meant ?? host])) {
    const { before } = await edited(asked, key, editor, null);
    if (before !== null) return nothing();
  }
  throw noFrontend(host);
}

/** Removes a host's dead marks, or those of one URL. */
export async function clearDead({ query }: Asked, key: string, editor: RouteEditor): Promise<Reply> {
  const { lists } = await editor.look(splitKey(key).prefix === '' ? candidates(key) : [key], key);
  const list = lists.find(({ holds }) => holds.length > 1)?.holds ?? [];
  await editor.clearDead(key, list.slice(1), query.get('url'));
  return nothing();
}

export function noFrontend(key: string): Refusal {
  return new Refusal(404, 'no-frontend', `there is no frontend ${JSON.stringify(key)}`);
}

/**
 * Makes an edit of a list, if the condition of the request is met.
 * @param edit the new list, which has no TTL; or how it is made of the former one, whose TTL it keeps; null to remove it
 * @throws Refusal 412
 */
async function edited(
  { headers, query }: Asked,
  key: string,
  editor: RouteEditor,
  edit: readonly string[] | Edit | null,
): Promise<ListChange> {
  const condition = conditionOf(headers);
  const options = { isForced: isForced(query) };
  if (condition === null) {
    if (edit === null) return await editor.remove(key, options);
    return await (typeof edit === 'function' ? editor.change(key, edit, options) : editor.replace(key, edit, options));
  }
  const keepsEnd = typeof edit === 'function';
  const { before, after } = await editSet(
    editor,
    key,
    (set) => {
      checkCondition(condition, set, set.list !== null);
      return { ...set, list: typeof edit === 'function' ? edit(set.list ?? []) : edit };
    },
    { ...options, keepsEnd },
  );
  return { before: before.list, after: after.list };
}

/** The body of a request for one more backend. */
function addition(body: unknown): { readonly url: string; readonly name: string | null } {
  if (typeof body === 'object' && body !== null) {
    const { url, name, ...more } = body as Readonly<Record<string, unknown>>;
    const isNamed = name === undefined || typeof name === 'string';
    if (typeof url === 'string' && isNamed && Object.keys(more).length === 0) return { url, name: name ?? null };
  }
  throw new Refusal(400, 'bad-list', 'send {"url": "http://10.0.0.1:80"}, with a "name" to create the frontend');
}

/** The body: `{ name, backends }`, or the list as in Redis. */
function listOf(body: unknown): readonly string[] {
  if (isTexts(body)) return body;
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    const { name, backends, ...more } = body as Readonly<Record<string, unknown>>;
    const [stranger] = Object.keys(more);
    if (stranger !== undefined) throw new Refusal(400, 'bad-list', `unknown key ${JSON.stringify(stranger)}`);
    if (typeof name === 'string' && isTexts(backends)) return [name, ...backends];
  }
  const example = '{"name": "mywebsite", "backends": ["http://10.0.0.1:80"]}';
  throw new Refusal(400, 'bad-list', `send ${example}, or the list as Redis holds it`);
}

function throwIfAny(faults: readonly Fault[]): void {
  if (faults.length > 0) throw faulty(faults);
}

function faulty(faults: readonly Fault[]): Refusal {
  return new Refusal(400, faults[0]?.code ?? 'bad-list', faults.map(({ text }) => text).join('; '));
}
