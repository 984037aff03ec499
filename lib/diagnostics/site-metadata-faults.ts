/** Finds problems in what belongs to a frontend's list: its prefixes, options, header fields, weights and error pages. Pure. */
import { nearest } from '../config/nearest.ts';
import type { SiteFeature } from '../sites/feature.ts';
import { HASH_RULES, hashFault } from '../sites/hashes.ts';
import { FIELD_NAMES, fieldFault, idleFields } from '../sites/site.ts';
import { prefixFault } from '../core/routing/prefixes.ts';
import { type StoredValue, METADATA_TYPES, type RouteEditor, type MetadataKind } from '../store/editor/route-editor.ts';
import { fieldsOf } from '../store/fields.ts';
import { pageFault } from '../store/pages.ts';
import { command } from '../store/editor/redis-advice.ts';
import { faultsOfChecks, longChecksFault } from './check-faults.ts';
import { fault, type Fault, type FaultCode } from './fault.ts';
import { mendedPrefix } from './key-faults.ts';

/** The maximum number of faults per key. */
const MAX_FAULTS = 100;

/** What the problems of metadata depend on. */
export interface MetadataSurroundings {
  readonly editor: Pick<RouteEditor, 'advice'>;
  /** The features of sites, where they are not FEATURES. */
  readonly features?: readonly SiteFeature[] | undefined;
  /** Whether requests use the key that the metadata belongs to. */
  readonly isServed: boolean;
  /** Prefixes whose list has no backend. */
  readonly bare: ReadonlySet<string>;
  /** The host in `canonical`, if no frontend serves it. */
  readonly unserved: string | null;
  /** URLs with weights that no list of the key has. */
  readonly unlisted: readonly string[];
}

const TYPE_CODES: Readonly<Record<MetadataKind, FaultCode>> = {
  prefixes: 'prefixes-type',
  options: 'options-type',
  headers: 'headers-type',
  weights: 'weights-type',
  healthcheck: 'checks-type',
  errors: 'pages-type',
};

/** The problems of a key with prefixes, options or error pages. */
export function metadataFaultsOf(
  kind: MetadataKind,
  held: StoredValue,
  surroundings: MetadataSurroundings,
): readonly Fault[] {
  const { key, type } = held;
  const { editor } = surroundings;
  if (type === 'none') return [];
  if (type === 'unknown') return [fault('unreadable', `this user may not read ${JSON.stringify(key)}`)];
  const stale = surroundings.isServed ? [] : [staleFault(editor, key)];
  if (type !== METADATA_TYPES[kind]) {
    // In a shared Redis the key may belong to another program.
    if (stale.length > 0) return stale;
    const text = `it is a ${type}, not a ${METADATA_TYPES[kind]}, and is ignored`;
    return [fault(TYPE_CODES[kind], text, editor.advice.removeMetadata(key))];
  }
  const long = longFault(kind, held);
  if (long !== null) return [long];
  const faults = FAULTS[kind](held, surroundings);
  if (faults.length <= MAX_FAULTS) return [...faults, ...stale];
  return [...faults.slice(0, MAX_FAULTS), fault('more-faults', `and ${faults.length - MAX_FAULTS} more`), ...stale];
}

type Faults = (held: StoredValue, surroundings: MetadataSurroundings) => readonly Fault[];

const FAULTS: Readonly<Record<MetadataKind, Faults>> = {
  prefixes: faultsOfPrefixes,
  options: faultsOfOptions,
  headers: faultsOfHeaders,
  weights: faultsOfWeights,
  healthcheck: (held, { editor }) => faultsOfChecks(held, editor),
  errors: faultsOfPages,
};

const LONG_CODES = { options: 'options-long', headers: 'headers-long', weights: 'weights-long' } as const;

/** The fault of a hash that is too large, so that all of its fields are ignored; null if it is not. */
function longFault(hash: MetadataKind, held: StoredValue): Fault | null {
  if (hash === 'prefixes' || hash === 'errors') return null;
  if (hash === 'healthcheck') return longChecksFault(held);
  const { holds, length } = held;
  const code = LONG_CODES[hash];
  const { maxFields } = HASH_RULES[hash];
  if (length > maxFields) return fault(code, `it has ${length} fields; with more than ${maxFields} all are ignored`);
  const why = hashFault(hash, fieldsOf(holds));
  return why === null ? null : fault(code, `it ${why}: all of its fields are ignored`);
}

/** Those of a file are always right: they follow from its lists. */
function faultsOfPrefixes({ key, holds }: StoredValue, { bare }: MetadataSurroundings): readonly Fault[] {
  const faults: Fault[] = [];
  for (const name of holds) {
    const why = prefixFault(name);
    if (why !== null) {
      const meant = mendedPrefix(name);
      const mends = meant !== '' && prefixFault(meant) === null ? [command('SADD', key, meant)] : [];
      const advice = [...mends, command('SREM', key, name)].join('\n');
      faults.push(fault('prefix-name', `no request can match ${JSON.stringify(name)}: ${why}`, advice));
    } else if (bare.has(name)) {
      const text = `the list of ${JSON.stringify(name)} has no backend: a shorter prefix or the host is used`;
      faults.push(fault('prefix-without-list', text, command('SREM', key, name)));
    }
  }
  return faults;
}

function faultsOfOptions(
  { key, holds }: StoredValue,
  { editor, unserved, features }: MetadataSurroundings,
): readonly Fault[] {
  const fields = fieldsOf(holds);
  const faults = [...fields].flatMap(([field, text]): readonly Fault[] => {
    const why = fieldFault(field, text, 'options', features);
    if (why === null) return [];
    const shown = JSON.stringify(field);
    if (FIELD_NAMES.includes(field) || features?.some((feature) => feature.has(field))) {
      return [fault('option-value', `${shown} is ignored: ${why}`, editor.advice.removeFields(key, [field]))];
    }
    const meant = nearest(field, FIELD_NAMES);
    const hint = meant === null ? '' : `; did you mean "${meant}"?`;
    return [fault('option-unknown', `${shown}: ${why}${hint}`, editor.advice.removeFields(key, [field]))];
  });
  for (const { fields: without, text } of idleFields(fields)) {
    faults.push(fault('option-idle', text, editor.advice.removeFields(key, without)));
  }
  if (unserved !== null) {
    const text = `"canonical" sends clients to ${JSON.stringify(unserved)}, and no frontend serves that host`;
    faults.push(fault('canonical-unserved', text, editor.advice.removeFields(key, ['canonical'])));
  }
  return faults;
}

function faultsOfHeaders({ key, holds }: StoredValue, { editor }: MetadataSurroundings): readonly Fault[] {
  const fields = fieldsOf(holds);
  const faults = [...fields].flatMap(([field, text]): readonly Fault[] => {
    const why = fieldFault(field, text, 'headers');
    if (why === null) return [];
    const shown = JSON.stringify(field.slice(0, 120));
    return [fault('header-unusable', `${shown} does not count: ${why}`, editor.advice.removeFields(key, [field]))];
  });
  for (const { fields: without, text } of idleFields(fields, 'headers')) {
    faults.push(fault('header-twice', text, editor.advice.removeFields(key, without)));
  }
  return faults;
}

function faultsOfWeights({ key, holds }: StoredValue, { editor, unlisted }: MetadataSurroundings): readonly Fault[] {
  return [...fieldsOf(holds)].flatMap(([url, text]): readonly Fault[] => {
    const shown = JSON.stringify(url.slice(0, 200));
    const advice = editor.advice.removeFields(key, [url]);
    const why = fieldFault(url, text, 'weights');
    if (why !== null) return [fault('weight-unusable', `the weight of ${shown} is ignored: ${why}`, advice)];
    if (!unlisted.includes(url)) return [];
    return [fault('weight-unlisted', `the weight of ${shown} has no effect: no list of this key has that URL`, advice)];
  });
}

function faultsOfPages({ key, holds }: StoredValue, { editor }: MetadataSurroundings): readonly Fault[] {
  return [...fieldsOf(holds)].flatMap(([status, html]) => {
    const why = pageFault(status, html);
    if (why === null) return [];
    const text = `the page for ${JSON.stringify(status.slice(0, 40))} is ignored: ${why}`;
    return [fault('page-unusable', text, editor.advice.removeFields(key, [status]))];
  });
}

/** A key that no request looks up. @param wanted the key that was probably meant; null for prefixes of a path */
export function metadataKeyFault(editor: Pick<RouteEditor, 'advice'>, name: string, wanted: string | null): Fault {
  const shown = JSON.stringify(name);
  if (wanted === null)
    return fault(
      'side-key',
      `no request looks up ${shown}: only hosts have prefixes`,
      editor.advice.removeMetadata(name),
    );
  const text = `no request looks up ${shown}: it should be ${JSON.stringify(wanted)}`;
  return fault('side-key', text, editor.advice.renameMetadata(name, wanted));
}

/** Metadata without a frontend. */
export function staleFault(editor: Pick<RouteEditor, 'advice'>, name: string): Fault {
  return fault('side-stale', 'no frontend has this key', editor.advice.removeMetadata(name));
}

/** A list for a path that requests never find. @param set the key of its host's prefixes */
export function unlistedFault(set: string, prefix: string): Fault {
  const text = `no request gets here: ${JSON.stringify(prefix)} is not in ${JSON.stringify(set)}`;
  return fault('path-unlisted', text, command('SADD', set, prefix));
}
