/** What is wrong with what stands beside a frontend's list: its prefixes, options and error pages. Pure. */
import { nearest } from '../config/nearest.ts';
import { OPTION_NAMES, optionFault } from '../core/options.ts';
import { prefixFault } from '../core/prefixes.ts';
import { type Held, SIDE_TYPES, type RouteBook, type SideKind } from '../store/book.ts';
import { fieldsOf } from '../store/fields.ts';
import { MAX_FIELDS } from '../store/limits.ts';
import { pageFault } from '../store/pages.ts';
import { command } from './advice.ts';
import { fault, type Fault, type FaultCode } from './fault.ts';
import { mendedPrefix } from './key-faults.ts';

/** Faults of one key at most. */
const MAX_FAULTS = 100;

/** What faults of a side depend on besides itself. */
export interface SideSurroundings {
  readonly book: Pick<RouteBook, 'kind'>;
  /** Whether requests find anything under the key that this stands beside. */
  readonly isServed: boolean;
  /** Prefixes whose list names no backend. */
  readonly bare: ReadonlySet<string>;
  /** The host that `canonical` names, where nobody serves it. */
  readonly unserved: string | null;
}

const TYPE_CODES: Readonly<Record<SideKind, FaultCode>> = {
  prefixes: 'prefixes-type',
  options: 'options-type',
  errors: 'pages-type',
};

export function faultsOfSide(kind: SideKind, held: Held, surroundings: SideSurroundings): readonly Fault[] {
  const { key, type, length } = held;
  const { book } = surroundings;
  if (type === 'none') return [];
  if (type === 'unknown') return [fault('unreadable', `this user may not look at ${JSON.stringify(key)}`)];
  const stale = surroundings.isServed ? [] : [staleFault(book, key)];
  if (type !== SIDE_TYPES[kind]) {
    // In a Redis that others use it may be theirs.
    if (stale.length > 0) return stale;
    const text = `it holds a ${type}, not a ${SIDE_TYPES[kind]}, and is left out`;
    return [fault(TYPE_CODES[kind], text, removed(book, key))];
  }
  if (kind === 'options' && length > MAX_FIELDS) {
    return [fault('options-long', `it has ${length} fields; with more than ${MAX_FIELDS} none counts`)];
  }
  const faults = FAULTS[kind](held, surroundings);
  if (faults.length <= MAX_FAULTS) return [...faults, ...stale];
  return [...faults.slice(0, MAX_FAULTS), fault('more-faults', `and ${faults.length - MAX_FAULTS} more`), ...stale];
}

type Faults = (held: Held, surroundings: SideSurroundings) => readonly Fault[];

const FAULTS: Readonly<Record<SideKind, Faults>> = {
  prefixes: faultsOfPrefixes,
  options: faultsOfOptions,
  errors: faultsOfPages,
};

/** A file's own are right: they follow from its lists. */
function faultsOfPrefixes({ key, holds }: Held, { bare }: SideSurroundings): readonly Fault[] {
  const faults: Fault[] = [];
  for (const name of holds) {
    const why = prefixFault(name);
    if (why !== null) {
      const meant = mendedPrefix(name);
      const mends = meant !== '' && prefixFault(meant) === null ? [command('SADD', key, meant)] : [];
      const advice = [...mends, command('SREM', key, name)].join('\n');
      faults.push(fault('prefix-name', `no request can match ${JSON.stringify(name)}: ${why}`, advice));
    } else if (bare.has(name)) {
      const text = `the list of ${JSON.stringify(name)} names no backend: a shorter prefix or the host serves it`;
      faults.push(fault('prefix-without-list', text, command('SREM', key, name)));
    }
  }
  return faults;
}

function faultsOfOptions({ key, holds }: Held, { book, unserved }: SideSurroundings): readonly Fault[] {
  const fields = fieldsOf(holds);
  const faults = [...fields].flatMap(([field, text]): readonly Fault[] => {
    const why = optionFault(field, text);
    if (why === null) return [];
    const shown = JSON.stringify(field);
    if (OPTION_NAMES.includes(field)) {
      return [fault('option-value', `${shown} does not count: ${why}`, withoutFields(book, key, [field]))];
    }
    const meant = nearest(field, OPTION_NAMES);
    const hint = meant === null ? '' : `; did you mean "${meant}"?`;
    return [fault('option-unknown', `${shown}: ${why}${hint}`, withoutFields(book, key, [field]))];
  });
  const counts = (field: string): boolean => {
    const text = fields.get(field);
    return text !== undefined && optionFault(field, text) === null;
  };
  const idle = ['strip', 'prepend'].filter((field) => counts(field));
  if (counts('rewrite') && idle.length > 0) {
    const text = `${idle.map((field) => `"${field}"`).join(' and ')} beside "rewrite", which takes the place of both`;
    faults.push(fault('option-idle', text, withoutFields(book, key, idle)));
  }
  if (unserved !== null) {
    const text = `"canonical" sends clients to ${JSON.stringify(unserved)}, and no frontend serves that host`;
    faults.push(fault('canonical-unserved', text, withoutFields(book, key, ['canonical'])));
  }
  return faults;
}

function faultsOfPages({ key, holds }: Held, { book }: SideSurroundings): readonly Fault[] {
  return [...fieldsOf(holds)].flatMap(([status, html]) => {
    const why = pageFault(status, html);
    if (why === null) return [];
    const text = `the page for ${JSON.stringify(status.slice(0, 40))} is left out: ${why}`;
    return [fault('page-unusable', text, withoutFields(book, key, [status]))];
  });
}

/** A key that nobody asks for. @param wanted the one that was probably meant; null for prefixes of a path */
export function sideKeyFault(book: Pick<RouteBook, 'kind'>, name: string, wanted: string | null): Fault {
  const shown = JSON.stringify(name);
  if (wanted === null)
    return fault('side-key', `nobody asks for ${shown}: prefixes are those of hosts`, removed(book, name));
  const text = `no request can ask for ${shown}: it should be ${JSON.stringify(wanted)}`;
  const advice =
    book.kind === 'file' ? `write ${JSON.stringify(wanted)} for ${shown}` : command('RENAMENX', name, wanted);
  return fault('side-key', text, advice);
}

/** What stands there beside nothing. */
export function staleFault(book: Pick<RouteBook, 'kind'>, name: string): Fault {
  return fault('side-stale', 'no frontend has this key', removed(book, name));
}

/** A list for a path that requests never find. @param set the key of its host's prefixes */
export function unlistedFault(set: string, prefix: string): Fault {
  const text = `no request gets here: ${JSON.stringify(prefix)} is not in ${JSON.stringify(set)}`;
  return fault('path-unlisted', text, command('SADD', set, prefix));
}

function removed({ kind }: Pick<RouteBook, 'kind'>, name: string): string {
  return kind === 'file' ? `take ${JSON.stringify(name)} out` : command('DEL', name);
}

function withoutFields({ kind }: Pick<RouteBook, 'kind'>, name: string, fields: readonly string[]): string {
  if (kind === 'redis') return command('HDEL', name, ...fields);
  return `take ${fields.map((field) => JSON.stringify(field)).join(' and ')} out of ${JSON.stringify(name)}`;
}
