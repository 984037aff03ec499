/** A set of frontends as a file: YAML, or JSON. Pure functions. */
import { isMap, isScalar, parseDocument, stringify } from 'yaml';
import type { SiteFields } from '../core/routing/site.ts';
import { type FrontendSet, NO_SET_HASHES, type SetHash, type SetHashes } from '../store/editor/frontend-set.ts';
import { scanJson } from '../store/file/json-scan.ts';
import { isTexts } from '../store/texts.ts';

/** A certificate by reference. A file with a set never has a private key. */
export interface CertificateReference {
  /** The SHA-256 of the certificate, hexadecimal; null where only files are named. */
  readonly sha256: string | null;
  /** Paths of the files in PEM format, relative to the file with the set; null where only the SHA-256 is given. */
  readonly files: { readonly certificate: string; readonly key: string } | null;
}

/** A frontend of the file. */
export interface FileEntry {
  readonly key: string;
  readonly set: FrontendSet;
  /** Null: the file says nothing of it. */
  readonly certificate: CertificateReference | null;
}

/** The content of a file. With faults it must not be used. */
export interface SetFile {
  readonly entries: readonly FileEntry[];
  readonly faults: readonly string[];
}

/** The names of hashes in the file, as in `hipache route`. */
const FIELDS: Readonly<Record<string, SetHash>> = {
  options: 'options',
  headers: 'headers',
  weights: 'weights',
  checks: 'healthcheck',
  errors: 'errors',
};

/** Parses a file. Never throws. */
export function parseSetFile(text: string): SetFile {
  const faults: string[] = [];
  const value = valueOf(text, faults);
  if (faults.length > 0) return { entries: [], faults };
  const frontends = isObject(value) ? value['frontends'] : undefined;
  if (!isObject(value) || !isObject(frontends)) {
    return { entries: [], faults: ['the file must have "frontends", a mapping of hosts to frontends'] };
  }
  for (const name of Object.keys(value)) if (name !== 'frontends') faults.push(`unknown key ${JSON.stringify(name)}`);
  const entries: FileEntry[] = [];
  for (const [key, each] of Object.entries(frontends)) {
    const complain = (fault: string): void => void faults.push(`${key}: ${fault}`);
    if (isObject(each)) entries.push(entryOf(key, each, complain));
    else complain('must be a mapping, with a name and backends');
  }
  return { entries, faults };
}

/** A frontend as a part of the file. Without a line for what it does not have. */
export function partOf({ key, set, certificate }: FileEntry): object {
  const [name, ...backends] = set.list ?? [];
  const hashes = Object.entries(FIELDS).flatMap(([field, hash]) => {
    const fields = set.hashes[hash];
    return fields.size === 0 ? [] : [[field, Object.fromEntries(fields)] as const];
  });
  return {
    [key]: {
      ...(name === undefined ? {} : { name, backends }),
      ...Object.fromEntries(hashes),
      ...(certificate === null ? {} : { certificate: { sha256: certificate.sha256, ...certificate.files } }),
    },
  };
}

/** The frontends as lines of a YAML file, below `frontends:`. */
export function yamlOf(entries: readonly FileEntry[]): string {
  if (entries.length === 0) return '';
  const parts = Object.assign({}, ...entries.map(partOf)) as object;
  // A line that is folded would not be found by grep.
  const text = stringify(parts, { lineWidth: 0, aliasDuplicateObjects: false });
  return text.replaceAll(/^(?=.)/gm, '  ');
}

function valueOf(text: string, faults: string[]): unknown {
  if (/^\s*\{/.test(text)) {
    try {
      // Much faster than the same as YAML.
      const value: unknown = JSON.parse(text);
      for (const { name, line } of scanJson(text, 2).repeats) {
        faults.push(`${JSON.stringify(name)} appears twice, again in line ${line}`);
      }
      return value;
    } catch {
      // YAML in braces, or a fault, whose line the other parser reports.
    }
  }
  // The parser's own search for keys that appear twice takes a time that grows with the square of the keys.
  const document = parseDocument(text, { uniqueKeys: false });
  for (const { message } of document.errors.slice(0, 5)) faults.push(message.split('\n', 1)[0] ?? message);
  faults.push(...repeatsIn(document.contents, ''));
  if (faults.length > 0) return null;
  try {
    // Few aliases: a small file could name a thousand times a thousand values.
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
    return null;
  }
}

/** Keys that appear twice in a mapping. */
function repeatsIn(node: unknown, path: string): readonly string[] {
  if (!isMap(node)) return [];
  const keys = new Set<string>();
  return node.items.flatMap(({ key, value }) => {
    const name = String(isScalar(key) ? key.value : key);
    const isRepeated = keys.has(name);
    keys.add(name);
    return [
      ...(isRepeated ? [`${path}${JSON.stringify(name)} appears twice`] : []),
      ...repeatsIn(value, `${path}${name}: `),
    ];
  });
}

function entryOf(
  key: string,
  { name, backends, certificate, ...more }: Readonly<Record<string, unknown>>,
  complain: (fault: string) => void,
): FileEntry {
  const hashes: Partial<Record<SetHash, SiteFields>> = {};
  for (const [field, value] of Object.entries(more)) {
    const hash = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined;
    if (hash === undefined) complain(`unknown key ${JSON.stringify(field)}`);
    else if (!isObject(value)) complain(`"${field}" must be a mapping`);
    else hashes[hash] = fieldsOf(field, value, complain);
  }
  const all: SetHashes = { ...NO_SET_HASHES, ...hashes };
  return {
    key,
    set: { list: listOf(name, backends, complain), hashes: all, odd: [] },
    certificate: certificate === undefined ? null : referenceOf(certificate, complain),
  };
}

/** Null without a name and backends: only the hashes of the key are meant, such as those of `*`. */
function listOf(name: unknown, backends: unknown, complain: (fault: string) => void): readonly string[] | null {
  if (name === undefined && backends === undefined) return null;
  if (typeof name === 'string' && isTexts(backends)) return [name, ...backends];
  complain('"name" must be a text, and "backends" a list of URLs');
  return null;
}

function fieldsOf(
  field: string,
  values: Readonly<Record<string, unknown>>,
  complain: (fault: string) => void,
): SiteFields {
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(values)) {
    // YAML has `strip: 1` as a number.
    const isText = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    if (isText) fields.set(name, String(value));
    else complain(`"${field}": ${JSON.stringify(name)} must be a text, a number, true or false`);
  }
  return fields;
}

function referenceOf(value: unknown, complain: (fault: string) => void): CertificateReference | null {
  if (isObject(value)) {
    const { sha256 = null, certificate, key, ...more } = value;
    const isDigest = sha256 === null || (typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256));
    const isPair = typeof certificate === 'string' && typeof key === 'string';
    const isNone = certificate === undefined && key === undefined && sha256 !== null;
    if (isDigest && (isPair || isNone) && Object.keys(more).length === 0) {
      return { sha256, files: isPair ? { certificate, key } : null };
    }
  }
  complain('"certificate" must have the paths of files, "certificate" and "key", or a "sha256", or all');
  return null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
