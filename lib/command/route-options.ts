import { nearest } from '../config/nearest.ts';
import type { SiteFields } from '../core/routing/site.ts';
import { FIELD_NAMES, fieldFault } from '../sites/site.ts';
import { fieldsOf } from '../store/fields.ts';
import type { Fault } from '../diagnostics/fault.ts';
import { metadataOf } from '../diagnostics/site-metadata.ts';
import { CommandFailure } from './command.ts';
import { clean, paint, Table } from './console.ts';
import { keyOf } from './route-key.ts';
import type { RouteRun } from './route-run.ts';
import { faultLines } from './show-fault.ts';
import { UsageError } from './usage.ts';

/** Shows a frontend's options, or changes some. @throws CommandFailure for options without effect, UsageError */
export async function routeOptions(run: RouteRun): Promise<number> {
  const { editor, words, isForced } = run;
  const [word = '', ...pairs] = words;
  const key = keyOf(word, isForced, editor);
  const changes = changesOf(pairs);
  if (!isForced) checkChanges(changes);
  if (changes.size > 0) {
    const { after } = await editor.changeOptions(key, changes, { isForced });
    return await show(run, key, after, await faultsOf(run, key), `written to ${editor.writeName}`);
  }
  const [held] = await editor.sides('options', [key]);
  return await show(run, key, fieldsOf(held?.type === 'hash' ? held.holds : []), await faultsOf(run, key));
}

/** Parses `field=value`; `field=` removes the field. */
function changesOf(pairs: readonly string[]): ReadonlyMap<string, string | null> {
  const changes = new Map<string, string | null>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`"${pair}" is no FIELD=VALUE`);
    const text = pair.slice(at + 1);
    changes.set(pair.slice(0, at), text === '' ? null : text);
  }
  return changes;
}

function checkChanges(changes: ReadonlyMap<string, string | null>): void {
  const faults: string[] = [];
  for (const [field, text] of changes) {
    // Unknown fields may be removed.
    const fault = text === null ? null : fieldFault(field, text);
    if (fault === null) continue;
    const meant = FIELD_NAMES.includes(field) ? null : nearest(field, FIELD_NAMES);
    faults.push(`"${field}": ${fault}${meant === null ? '' : `; did you mean "${meant}"?`}`);
  }
  if (faults.length === 0) return;
  throw new CommandFailure('bad-option', `${faults.join('; ')}; nothing was written (--force would)`);
}

async function faultsOf({ editor }: RouteRun, key: string): Promise<readonly Fault[]> {
  return (await metadataOf(editor, 'options', [key])).flatMap(({ faults }) => faults);
}

async function show(
  { console, isJson }: RouteRun,
  key: string,
  fields: SiteFields,
  faults: readonly Fault[],
  ...notes: readonly string[]
): Promise<number> {
  if (isJson) {
    await console.write(`${JSON.stringify(Object.fromEntries(fields))}\n`);
    return 0;
  }
  const rows = new Table().lines([...fields].map(([field, text]) => [`  ${field}`, text]));
  const lines = [
    fields.size === 0 ? `${clean(key)}: no options of its own` : paint(console, 'bold', clean(key)),
    ...rows,
    ...notes,
    ...faults.flatMap((fault) => faultLines(console, fault)),
  ];
  await console.write(`${lines.join('\n')}\n`);
  return 0;
}
