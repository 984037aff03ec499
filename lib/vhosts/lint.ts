/** What is wrong with all routes of a store, found page by page: a million keys need little memory. */
import { candidates } from '../core/hostname.ts';
import { splitKey } from '../core/prefixes.ts';
import { BookError, SIDE_KINDS, type RouteBook } from '../store/book.ts';
import { pathOfKey } from '../store/book-rules.ts';
import type { Advice } from './advice.ts';
import { faultsOfCertificate } from './certificate-faults.ts';
import { faultsOfChecker, faultsOfDead } from './dead-faults.ts';
import { fault, type Fault } from './fault.ts';
import { adviceFor, faultsOfFrontend } from './frontend.ts';
import { readStray } from './key-faults.ts';
import { unlistedFault } from './side-faults.ts';
import { sidesOf } from './sides.ts';
import { lookupOf, wayOf } from './way.ts';

/** A fault, and the key that has it, as the store spells it. */
export interface Finding extends Fault {
  readonly key: string;
}

/** Frontends in a page. */
const PAGE = 500;
/** Hosts whose dead marks, or certificates, are looked at at a time. */
const TOGETHER = 50;
/** Keys with findings that are remembered, so as to tell of each once: a store may give a key twice. */
const MAX_TOLD = 10_000;

/**
 * Goes through the whole book.
 * @throws BookError when the store cannot be read; a routes file that is broken is a finding
 */
export async function* lint(book: RouteBook): AsyncGenerator<Finding, void, undefined> {
  const advice = adviceFor(book);
  const told = new Set<string>();
  const isNew = ({ key, code, text }: Finding): boolean => {
    const name = `${key}\n${code}\n${text}`;
    if (told.has(name)) return false;
    if (told.size < MAX_TOLD) told.add(name);
    return true;
  };
  try {
    yield* withKey('hchecker_ping', faultsOfChecker(await book.checker(), Date.now()));
    for await (const finding of lintFrontends(book, advice)) if (isNew(finding)) yield finding;
    for await (const finding of lintStrays(book, advice)) if (isNew(finding)) yield finding;
  } catch (error) {
    if (!(error instanceof BookError) || error.code !== 'broken-file') throw error;
    yield { key: book.name, ...fault('broken-file', error.message) };
  }
}

async function* lintFrontends(book: RouteBook, advice: Advice): AsyncGenerator<Finding, void, undefined> {
  for (let cursor: string | null = null; ;) {
    const { entries, next } = await book.page({ cursor, limit: PAGE, match: '' });
    for (const { key, list } of entries) yield* withKey(list.key, faultsOfFrontend(key, list, advice));
    yield* await lintPaths(
      book,
      entries.map(({ key }) => key),
    );
    if (next === null) return;
    cursor = next;
  }
}

/** Frontends with a path that is not among the prefixes of their host. */
async function lintPaths(book: RouteBook, keys: readonly string[]): Promise<readonly Finding[]> {
  if (book.kind === 'file') return [];
  const byHost = new Map<string, string[]>();
  for (const key of keys) {
    const path = pathOfKey(key);
    if (path !== null) byHost.set(path.host, [...(byHost.get(path.host) ?? []), path.prefix]);
  }
  const findings: Finding[] = [];
  for (const [host, prefixes] of byHost) {
    const known = new Set(await book.prefixesAmong(host, prefixes));
    const set = book.sideName('prefixes', host);
    for (const prefix of prefixes.filter((each) => !known.has(each))) {
      const { lists } = await book.look([host + prefix], host);
      findings.push(...withKey(lists[0]?.key ?? '', [unlistedFault(set, prefix)]));
    }
  }
  return findings;
}

async function* lintStrays(book: RouteBook, advice: Advice): AsyncGenerator<Finding, void, undefined> {
  for (let cursor: string | null = null; ;) {
    const { deadHosts, suspects, certificateKeys, sideKeys, next } = await book.strays(cursor, PAGE);
    for (const key of suspects) {
      const stray = readStray(key, book.prefix, advice);
      if (stray !== null) yield* withKey(key, [stray.fault]);
    }
    for (const kind of SIDE_KINDS) {
      const keys = sideKeys.filter(([each]) => each === kind).map(([, key]) => key);
      for (let i = 0; i < keys.length; i += TOGETHER) {
        const views = await sidesOf(book, kind, keys.slice(i, i + TOGETHER));
        for (const { key, faults } of views) yield* withKey(key, faults);
      }
    }
    for (let i = 0; i < certificateKeys.length; i += TOGETHER) {
      const keys = certificateKeys.slice(i, i + TOGETHER);
      for (const findings of await Promise.all(keys.map((key) => lintCertificate(book, key)))) yield* findings;
    }
    for (let i = 0; i < deadHosts.length; i += TOGETHER) {
      const hosts = deadHosts.slice(i, i + TOGETHER);
      for (const findings of await Promise.all(hosts.map((host) => lintDead(book, host)))) yield* findings;
    }
    if (next === null) return;
    cursor = next;
  }
}

async function lintCertificate(book: RouteBook, key: string): Promise<readonly Finding[]> {
  const faults = faultsOfCertificate(book, key, await book.certificate(key), Date.now());
  return withKey(book.certificateName(key), faults);
}

async function lintDead(book: RouteBook, host: string): Promise<readonly Finding[]> {
  const { host: name, prefix } = splitKey(host);
  if (prefix === '') {
    const look = await book.look(candidates(host), host);
    const found = lookupOf(look);
    const list = found.type === 'none' ? null : (look.lists[found.index]?.holds ?? null);
    return withKey(look.dead.key, faultsOfDead(host, look.dead, list));
  }
  const [{ dead }, { hit }] = await Promise.all([book.look([], host), wayOf(book, candidates(name), name, prefix)]);
  return withKey(dead.key, faultsOfDead(host, dead, hit?.prefix === prefix ? hit.list.holds : null));
}

function withKey(key: string, faults: readonly Fault[]): readonly Finding[] {
  return faults.map((each) => ({ key, ...each }));
}
