/** Finds problems in the fields of active checks, `healthcheck:<key>`. Pure. */
import { nearest } from '../config/nearest.ts';
import { CHECK_BOUNDS, CHECK_FIELDS, checkFieldFault, idleCheckFields } from '../sites/healthcheck.ts';
import type { RouteEditor, StoredValue } from '../store/editor/route-editor.ts';
import { fieldsOf } from '../store/fields.ts';
import { fault, type Fault } from './fault.ts';

export function faultsOfChecks(
  { key: name, holds }: StoredValue,
  { advice }: Pick<RouteEditor, 'advice'>,
): readonly Fault[] {
  const fields = fieldsOf(holds);
  const faults = [...fields].flatMap(([field, text]): readonly Fault[] => {
    const why = checkFieldFault(field, text);
    if (why === null) return [];
    const meant = CHECK_FIELDS.includes(field) ? null : nearest(field, CHECK_FIELDS);
    const hint = meant === null ? '' : `; did you mean "${meant}"?`;
    return [
      fault('check-field', `${JSON.stringify(field)} is ignored: ${why}${hint}`, advice.removeFields(name, [field])),
    ];
  });
  const idle = idleCheckFields(fields);
  if (idle !== null) faults.push(fault('check-idle', idle.text, advice.removeFields(name, idle.fields)));
  return faults;
}

/** The fault of a hash that is too large, so that nothing is checked; null if it is not. */
export function longChecksFault({ length }: StoredValue): Fault | null {
  const { fields } = CHECK_BOUNDS;
  return length > fields
    ? fault('checks-long', `it has ${length} fields; with more than ${fields} nothing is checked`)
    : null;
}
