import { nearest } from '../config/nearest.ts';
import type { SiteFields } from '../core/routing/site.ts';
import { CHECK_FIELDS } from '../sites/healthcheck.ts';
import { FIELD_NAMES } from '../sites/site.ts';
import { editedFieldFault } from '../store/editor/edit-rules.ts';
import type { FieldsHash } from '../store/editor/route-editor.ts';
import { fieldsOf } from '../store/fields.ts';
import { metadataOf } from '../diagnostics/site-metadata.ts';
import { CommandFailure } from './command.ts';
import { clean, paint, Table } from './console.ts';
import { keyOf } from './route-key.ts';
import type { RouteRun } from './route-run.ts';
import { faultLines } from './show-fault.ts';
import { UsageError } from './usage.ts';

/** Shows or changes the options of a frontend. @throws CommandFailure for options without effect, UsageError */
export async function routeOptions(run: RouteRun): Promise<number> {
  return await showOrChange(run, 'options', optionChange);
}

/** Shows or changes the header fields of a frontend. @throws as routeOptions */
export async function routeHeaders(run: RouteRun): Promise<number> {
  return await showOrChange(run, 'headers', headerChange);
}

/** Shows or changes the weights of a frontend's backends. @throws as routeOptions */
export async function routeWeights(run: RouteRun): Promise<number> {
  return await showOrChange(run, 'weights', weightChange);
}

/** Shows or changes how the backends of a frontend are checked. The word "off" removes all of it. @throws as routeOptions */
export async function routeChecks(run: RouteRun): Promise<number> {
  const [word = '', ...pairs] = run.words;
  if (pairs.length !== 1 || pairs[0] !== 'off') return await showOrChange(run, 'healthcheck', optionChange);
  const key = keyOf(word, run.isForced, run.editor);
  const [held] = await run.editor.sides('healthcheck', [key]);
  const fields = held?.type === 'hash' ? [...fieldsOf(held.holds).keys()] : [];
  return await change(run, 'healthcheck', key, new Map(fields.map((field) => [field, null])));
}

/** A field and its new value; null removes the field. */
type Change = readonly [field: string, text: string | null];

/** Parses `field=value`; `field=` removes the field. @throws UsageError */
function optionChange(pair: string): Change {
  const at = pair.indexOf('=');
  if (at < 1) throw new UsageError(`"${pair}" is no FIELD=VALUE`);
  const text = pair.slice(at + 1);
  return [pair.slice(0, at), text === '' ? null : text];
}

/** Parses `field=value`, where the value may be empty; `field` alone removes the entry. @throws UsageError */
function headerChange(pair: string): Change {
  // Names of fields have no "=" in them.
  const at = pair.indexOf('=');
  if (at === 0 || pair === '') throw new UsageError(`"${pair}" is no FIELD=VALUE`);
  return at < 0 ? [pair, null] : [pair.slice(0, at), pair.slice(at + 1)];
}

/** Parses `url=weight`; `url=` removes the entry. A URL may have "=" in it, a weight none. @throws UsageError */
function weightChange(pair: string): Change {
  const at = pair.lastIndexOf('=');
  if (at < 1) throw new UsageError(`"${pair}" is no URL=WEIGHT`);
  const text = pair.slice(at + 1);
  return [pair.slice(0, at), text === '' ? null : text];
}

async function showOrChange(run: RouteRun, hash: FieldsHash, changeIn: (pair: string) => Change): Promise<number> {
  const { editor, words, isForced } = run;
  const [word = '', ...pairs] = words;
  const key = keyOf(word, isForced, editor);
  const changes = new Map(pairs.map(changeIn));
  if (!isForced) checkChanges(hash, changes);
  if (changes.size > 0) return await change(run, hash, key, changes);
  const [held] = await editor.sides(hash, [key]);
  return await show(run, hash, key, fieldsOf(held?.type === 'hash' ? held.holds : []));
}

async function change(
  run: RouteRun,
  hash: FieldsHash,
  key: string,
  changes: ReadonlyMap<string, string | null>,
): Promise<number> {
  const { editor, isForced } = run;
  const { after } = await editor.changeFields(hash, key, changes, { isForced });
  return await show(run, hash, key, after, `written to ${editor.writeName}`);
}

function checkChanges(hash: FieldsHash, changes: ReadonlyMap<string, string | null>): void {
  const faults: string[] = [];
  for (const [field, text] of changes) {
    // Unknown fields may be removed.
    const fault = text === null ? null : editedFieldFault(hash, field, text);
    if (fault === null) continue;
    const names = NAMES[hash] ?? [];
    const meant = names.includes(field) ? null : nearest(field, names);
    faults.push(`"${field}": ${fault}${meant === null ? '' : `; did you mean "${meant}"?`}`);
  }
  if (faults.length === 0) return;
  throw new CommandFailure(CODES[hash], `${faults.join('; ')}; nothing was written (--force would)`);
}

/** A text that is empty means something. */
export function shownText(text: string): string {
  return text === '' ? '""' : text;
}

/** The fields of hashes that have fixed ones. */
const NAMES: Readonly<Partial<Record<FieldsHash, readonly string[]>>> = {
  options: FIELD_NAMES,
  healthcheck: CHECK_FIELDS,
};
const CODES: Readonly<Record<FieldsHash, string>> = {
  options: 'bad-option',
  headers: 'bad-header',
  weights: 'bad-weight',
  healthcheck: 'bad-check',
};
const NONE: Readonly<Record<FieldsHash, string>> = {
  options: 'no options of its own',
  headers: 'no header fields of its own',
  weights: 'no weights of its own',
  healthcheck: 'no active checks',
};

async function show(
  { editor, console, isJson }: RouteRun,
  hash: FieldsHash,
  key: string,
  fields: SiteFields,
  ...notes: readonly string[]
): Promise<number> {
  if (isJson) {
    await console.write(`${JSON.stringify(Object.fromEntries(fields))}\n`);
    return 0;
  }
  const faults = (await metadataOf(editor, hash, [key])).flatMap((view) => view.faults);
  const rows = new Table().lines([...fields].map(([field, text]) => [`  ${field}`, shownText(text)]));
  const lines = [
    fields.size === 0 ? `${clean(key)}: ${NONE[hash]}` : paint(console, 'bold', clean(key)),
    ...rows,
    ...notes,
    ...faults.flatMap((fault) => faultLines(console, fault)),
  ];
  await console.write(`${lines.join('\n')}\n`);
  return 0;
}
