import { parseBackend } from '../../core/routing/backend-url.ts';
import { hostOf, mayBeAskedFor } from '../../core/routing/hostname.ts';
import type { SiteHash } from '../../core/routing/site.ts';
import { hashFault, SITE_HASHES } from '../../sites/hashes.ts';
import { checkFieldFault } from '../../sites/healthcheck.ts';
import type { SiteFeature } from '../../sites/feature.ts';
import { fieldFault } from '../../sites/site.ts';
import { prefixFault, splitKey } from '../../core/routing/prefixes.ts';
import { fieldsOf } from '../fields.ts';
import { scanJson } from './json-scan.ts';
import { MAX_LIST } from '../limits.ts';
import { pageFault } from '../pages.ts';
import { urlFault, type RouteEntry } from '../route-table.ts';

/** A problem of a frontend that an operator should fix. */
export interface RouteWarning {
  readonly key: string;
  readonly fault: string;
}

/** The content of a routes file. With faults it must not be used; each warning costs one route, backend or option. */
export interface RoutesText {
  readonly entries: readonly RouteEntry[];
  /** `options:<key>`, `headers:<key>`, `weights:<key>`, `healthcheck:<key>` and `errors:<key>`, with fields and values in turn. */
  readonly hashes: readonly RouteEntry[];
  readonly faults: readonly string[];
  readonly warnings: readonly RouteWarning[];
}

/**
 * Parses a routes file: a JSON object from a frontend to a list of its identifier and its backend URLs, and from
 * `options:<frontend>`, `headers:<frontend>`, `weights:<frontend>`, `healthcheck:<frontend>` and `errors:<frontend>` to an object. A frontend with a path is a prefix of
 * its host. Wrong types are faults. What Redis would store without complaint is a warning: a mistake in one site must not
 * stop the routing of the others. Never throws.
 */
export function parseRoutes(text: string, features?: readonly SiteFeature[]): RoutesText {
  // Some editors write a byte order mark.
  const json = text.replace(/^\uFEFF/, '');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return refused([whereBroken(json, error)]);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refused(['must be a JSON object of frontends, {"www.example.com": ["name", "http://10.0.0.1:8080"]}']);
  }
  const faults = scanJson(json).repeats.map(({ name, line, column }) => {
    return `${JSON.stringify(name)} appears twice, again in line ${line}, column ${column}`;
  });
  const entries: RouteEntry[] = [];
  const hashes: RouteEntry[] = [];
  const warnings: RouteWarning[] = [];
  for (const [key, list] of Object.entries(value)) {
    const kind = kindOf(key);
    if (kind !== null) {
      const read = readHash(kind, list, features);
      if (typeof read === 'string') faults.push(`${JSON.stringify(key)} ${read}`);
      else {
        hashes.push([key, read.fields]);
        for (const fault of read.warnings) warnings.push({ key, fault });
      }
      continue;
    }
    const fault = faultOfList(list);
    if (fault !== null) faults.push(`${JSON.stringify(key)} ${fault}`);
    else if (isList(list)) {
      entries.push([key, list]);
      for (const warning of [...faultsOfKey(key), ...faultsOfUrls(list)]) warnings.push({ key, fault: warning });
    }
  }
  return faults.length > 0 ? refused(faults) : { entries, hashes, faults, warnings };
}

type HashKind = SiteHash | 'healthcheck' | 'errors';

/** Which hash a key is for; null where it is a frontend's. */
function kindOf(key: string): HashKind | null {
  return HASH_KINDS.find((kind) => key.length > kind.length + 1 && key.startsWith(`${kind}:`)) ?? null;
}

const HASH_KINDS: readonly HashKind[] = [...SITE_HASHES, 'healthcheck', 'errors'];
const NOUNS: Readonly<Record<HashKind, string>> = {
  options: 'option',
  headers: 'header',
  weights: 'weight',
  healthcheck: 'check',
  errors: 'page',
};

function faultOfField(kind: HashKind, field: string, text: string, features?: readonly SiteFeature[]): string | null {
  if (kind === 'errors') return pageFault(field, text);
  return kind === 'healthcheck' ? checkFieldFault(field, text) : fieldFault(field, text, kind, features);
}

/** The fields of an object, and warnings about some; or the fault. */
function readHash(
  kind: HashKind,
  value: unknown,
  features: readonly SiteFeature[] | undefined,
): { fields: string[]; warnings: string[] } | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'must be an object, {"field": "value"}';
  const fields: string[] = [];
  const warnings: string[] = [];
  for (const [field, held] of Object.entries(value)) {
    if (typeof held !== 'string' && typeof held !== 'number' && typeof held !== 'boolean') {
      return `may only have texts, numbers, true and false; ${JSON.stringify(field)} has another type`;
    }
    const text = String(held);
    const fault = faultOfField(kind, field, text, features);
    // Kept nevertheless: an edit of the file must not lose it.
    fields.push(field, text);
    if (fault !== null) warnings.push(`${NOUNS[kind]} ${JSON.stringify(field)}: ${fault}`);
  }
  const fault = kind === 'headers' || kind === 'weights' ? hashFault(kind, fieldsOf(fields)) : null;
  if (fault !== null) warnings.push(`${fault}: none of them counts`);
  return { fields, warnings };
}

function refused(faults: readonly string[]): RoutesText {
  return { entries: [], hashes: [], faults, warnings: [] };
}

function whereBroken(json: string, error: unknown): string {
  const { fault } = scanJson(json);
  if (fault === null) return `is not JSON: ${error instanceof Error ? error.message : String(error)}`;
  return `is not JSON: expected ${fault.expected} in line ${fault.line}, column ${fault.column}`;
}

function faultOfList(list: unknown): string | null {
  if (!Array.isArray(list)) return 'must be a list: ["name", "http://10.0.0.1:8080", …]';
  if (list.length === 0) return 'is an empty list; its first element must be a name';
  if (list.length > MAX_LIST) return `has ${list.length} elements; at most ${MAX_LIST} are allowed`;
  const odd = list.findIndex((element) => typeof element !== 'string');
  return odd < 0 ? null : `must have only strings; element ${odd} is ${JSON.stringify(list[odd]).slice(0, 80)}`;
}

function isList(list: unknown): list is readonly string[] {
  return faultOfList(list) === null;
}

/** Why no request would look up this key; empty when one could. */
function faultsOfKey(frontend: string): readonly string[] {
  const { host: key, prefix } = splitKey(frontend);
  const ofPrefix = prefix === '' ? null : prefixFault(prefix);
  if (ofPrefix !== null) return [`no request can match it: ${ofPrefix}`];
  if (mayBeAskedFor(key)) return [];
  const suffix = key.startsWith('*.') ? key.slice(2) : null;
  if (suffix === null) {
    const meant = hostOf(key);
    return [meant === null ? 'is not a host name: no request can match it' : `no request can match it; write ${meant}`];
  }
  const meant = hostOf(suffix);
  if (meant !== null && meant !== suffix) return [`no request can match it; write *.${meant}`];
  return ['no request can match it: wildcards reach five labels deep at most'];
}

function faultsOfUrls(list: readonly string[]): readonly string[] {
  const faults: string[] = [];
  for (let i = 1; i < list.length; i++) {
    const href = list[i] ?? '';
    const parsed = parseBackend(href, i - 1);
    if ('fault' in parsed) faults.push(urlFault(href, parsed.fault));
  }
  return faults;
}
