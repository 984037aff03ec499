/** Finds the problems of all routes in a store, page by page: a million keys need little memory. */
import { candidates } from '../core/routing/hostname.ts';
import { splitKey } from '../core/routing/prefixes.ts';
import { METADATA_KINDS, type RouteEditor } from '../store/editor/route-editor.ts';
import { pathOfKey } from '../store/editor/edit-rules.ts';
import { isFresh } from '../store/redis/codec.ts';
import type { Advice } from '../store/editor/advice.ts';
import { faultsOfCertificate } from './certificate-faults.ts';
import { faultsBesideChecker, faultsOfChecker } from './checker-faults.ts';
import { faultsOfDead } from './dead-faults.ts';
import { fault, type Fault } from './fault.ts';
import { faultsOfFrontend } from './frontend.ts';
import { readUnknownKey } from './key-faults.ts';
import { unlistedFault } from './site-metadata-faults.ts';
import { metadataOf } from './site-metadata.ts';
import { lookupOf, wayOf } from './way.ts';
import { EditorError } from '../store/editor-error.ts';

/** A fault with its key, as the store spells it. */
export interface Finding extends Fault {
  readonly key: string;
}

/** Frontends per page. */
const PAGE = 500;
/** How many hosts' dead marks, or certificates, are read at a time. */
const TOGETHER = 50;
/** How many keys with findings are remembered, because a store may return a key twice. */
const MAX_TOLD = 10_000;

/** Checks the whole store. @throws EditorError when the store cannot be read; a broken routes file is a finding */
export async function* lint(editor: RouteEditor): AsyncGenerator<Finding, void, undefined> {
  const advice = editor.advice;
  const told = new Set<string>();
  const isNew = ({ key, code, text }: Finding): boolean => {
    const name = `${key}\n${code}\n${text}`;
    if (told.has(name)) return false;
    if (told.size < MAX_TOLD) told.add(name);
    return true;
  };
  try {
    const checker = await editor.checker();
    const now = Date.now();
    yield* withKey('hchecker_ping', faultsOfChecker(checker, editor.prefix, now));
    // With a prefix, hipache-hchecker checks none of the lists, which is reported above.
    const isChecked = editor.prefix === '' && isFresh(checker.ping, now);
    for await (const finding of lintFrontends(editor, advice, isChecked)) if (isNew(finding)) yield finding;
    for await (const finding of lintUnknownKeys(editor, advice)) if (isNew(finding)) yield finding;
  } catch (error) {
    if (!(error instanceof EditorError) || error.code !== 'broken-file') throw error;
    yield { key: editor.name, ...fault('broken-file', error.message) };
  }
}

/** @param isChecked whether a health checker is running */
async function* lintFrontends(
  editor: RouteEditor,
  advice: Advice,
  isChecked: boolean,
): AsyncGenerator<Finding, void, undefined> {
  for (let cursor: string | null = null; ;) {
    const { entries, next } = await editor.page({ cursor, limit: PAGE, match: '' });
    for (const { key, list } of entries) {
      yield* withKey(list.key, faultsOfFrontend(key, list, advice));
      if (isChecked) yield* withKey(list.key, faultsBesideChecker(key, list, advice));
    }
    yield* await lintPaths(
      editor,
      entries.map(({ key }) => key),
    );
    if (next === null) return;
    cursor = next;
  }
}

/** Frontends with a path that is not among the prefixes of their host. */
async function lintPaths(editor: RouteEditor, keys: readonly string[]): Promise<readonly Finding[]> {
  const byHost = new Map<string, string[]>();
  for (const key of keys) {
    const path = pathOfKey(key);
    if (path !== null) byHost.set(path.host, [...(byHost.get(path.host) ?? []), path.prefix]);
  }
  const findings: Finding[] = [];
  for (const [host, prefixes] of byHost) {
    const known = new Set(await editor.prefixesAmong(host, prefixes));
    const set = editor.metadataKey('prefixes', host);
    for (const prefix of prefixes.filter((each) => !known.has(each))) {
      const { lists } = await editor.look([host + prefix], host);
      findings.push(...withKey(lists[0]?.key ?? '', [unlistedFault(set, prefix)]));
    }
  }
  return findings;
}

async function* lintUnknownKeys(editor: RouteEditor, advice: Advice): AsyncGenerator<Finding, void, undefined> {
  for (let cursor: string | null = null; ;) {
    const { deadHosts, suspects, certificateKeys, metadataKeys, next } = await editor.unknownKeys(cursor, PAGE);
    for (const key of suspects) {
      const unknownKey = readUnknownKey(key, editor.prefix, advice);
      if (unknownKey !== null) yield* withKey(key, [unknownKey.fault]);
    }
    for (const kind of METADATA_KINDS) {
      const keys = metadataKeys.filter(([each]) => each === kind).map(([, key]) => key);
      for (let i = 0; i < keys.length; i += TOGETHER) {
        const views = await metadataOf(editor, kind, keys.slice(i, i + TOGETHER));
        for (const { key, faults } of views) yield* withKey(key, faults);
      }
    }
    for (let i = 0; i < certificateKeys.length; i += TOGETHER) {
      const keys = certificateKeys.slice(i, i + TOGETHER);
      for (const findings of await Promise.all(keys.map((key) => lintCertificate(editor, key)))) yield* findings;
    }
    for (let i = 0; i < deadHosts.length; i += TOGETHER) {
      const hosts = deadHosts.slice(i, i + TOGETHER);
      for (const findings of await Promise.all(hosts.map((host) => lintDead(editor, host)))) yield* findings;
    }
    if (next === null) return;
    cursor = next;
  }
}

async function lintCertificate(editor: RouteEditor, key: string): Promise<readonly Finding[]> {
  const faults = faultsOfCertificate(editor, key, await editor.certificate(key), Date.now());
  return withKey(editor.certificateName(key), faults);
}

async function lintDead(editor: RouteEditor, host: string): Promise<readonly Finding[]> {
  const { host: name, prefix } = splitKey(host);
  if (prefix === '') {
    const look = await editor.look(candidates(host), host);
    const found = lookupOf(look);
    const list = found.type === 'none' ? null : (look.lists[found.index]?.holds ?? null);
    return withKey(look.dead.key, faultsOfDead(host, look, list));
  }
  const [look, { hit }] = await Promise.all([editor.look([], host), wayOf(editor, candidates(name), name, prefix)]);
  return withKey(look.dead.key, faultsOfDead(host, look, hit?.prefix === prefix ? hit.list.holds : null));
}

function withKey(key: string, faults: readonly Fault[]): readonly Finding[] {
  return faults.map((each) => ({ key, ...each }));
}
