import * as v from 'valibot';
import type { Faults } from './faults.ts';
import { nearest } from './nearest.ts';
import { KNOWN_KEYS } from './schema.ts';
import { UNKNOWN_KEY } from './values.ts';

/**
 * A section of the file, checked and with its defaults; null when it has faults, which are added.
 * @param place the section's key, such as `server`
 */
export function check<const Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
  place: string,
  faults: Faults,
): v.InferOutput<Schema> | null {
  const result = v.safeParse(schema, input);
  if (result.success) return result.output;
  for (const { path = [], message } of result.issues) {
    const keys = path.map(({ key }) => key);
    if (message === UNKNOWN_KEY) {
      const key = String(keys.pop());
      addUnknownKey(join(place, keys), key, faults);
    } else {
      faults.add(join(place, keys), message);
    }
  }
  return null;
}

/** Adds the fault of an unknown key, with the key that was probably meant. */
export function addUnknownKey(sectionPath: string, key: string, faults: Faults): void {
  const here = KNOWN_KEYS.get(sectionPath.replaceAll(/\[[0-9]+\]/g, '')) ?? [];
  const meant = nearest(key, here) ?? elsewhere(key);
  const hint = meant === null ? `known here are ${here.join(', ')}` : `did you mean "${meant}"?`;
  faults.add(join(sectionPath, [key]), `unknown key; ${hint}`);
}

/** The full path of a key that belongs to another section. */
function elsewhere(key: string): string | null {
  for (const [sectionPath, keys] of KNOWN_KEYS) {
    if (keys.includes(key)) return join(sectionPath, [key]);
  }
  return null;
}

/** Formats `https`, `bind`, 1, `cert` as `https.bind[1].cert`. */
function join(place: string, keys: readonly unknown[]): string {
  let path = place;
  for (const key of keys) {
    if (typeof key === 'number') path += `[${key}]`;
    else path += path === '' ? String(key) : `.${String(key)}`;
  }
  return path;
}
