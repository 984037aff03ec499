/** Reads and changes the options, header fields, weights and active checks of frontends. */
import { SITE_HASHES } from '../sites/hashes.ts';
import { editedFieldFault, withFields } from '../store/editor/edit-rules.ts';
import { editSet } from '../store/editor/edit-set.ts';
import { tagOf, withHashOf } from '../store/editor/frontend-set.ts';
import type { FieldChanges, FieldsHash, RouteEditor } from '../store/editor/route-editor.ts';
import { fieldsOf } from '../store/fields.ts';
import { checkCondition, conditionOf } from './conditions.ts';
import { type Asked, json, Refusal, type Reply, tagged } from './reply.ts';

/** The hashes of a frontend, by the last part of their paths. */
export const FIELDS_BY_PATH: Readonly<Record<string, FieldsHash>> = {
  ...Object.fromEntries(SITE_HASHES.map((hash) => [hash, hash])),
  checks: 'healthcheck',
};

/** The frontend's own options. Those that it inherits are part of its explanation. */
export async function ownFields(hash: FieldsHash, key: string, editor: RouteEditor): Promise<Reply> {
  const [held] = await editor.sides(hash, [key]);
  if (held !== undefined && held.type !== 'none' && held.type !== 'hash') {
    throw new Refusal(409, 'wrong-type', `${held.key} holds a ${held.type}, not a hash`);
  }
  return json(Object.fromEntries(fieldsOf(held?.holds ?? [])));
}

/** Applies a JSON Merge Patch (RFC 7396): null removes a field; fields that are not named are kept. @throws Refusal 412 */
export async function patchFields(
  { body, headers }: Asked,
  hash: FieldsHash,
  key: string,
  isForced: boolean,
  editor: RouteEditor,
): Promise<Reply> {
  const changes = changesOf(hash, await body());
  const condition = conditionOf(headers);
  if (condition === null) {
    const { after } = await editor.changeFields(hash, key, changes, { isForced });
    return json(Object.fromEntries(after));
  }
  // The fields of any key can be read, also those of one without a list.
  const { after } = await editSet(
    editor,
    key,
    (set) => {
      checkCondition(condition, set, true);
      return withHashOf(set, hash, withFields(set.hashes[hash], changes));
    },
    { isForced },
  );
  return tagged(json(Object.fromEntries(after.hashes[hash])), tagOf(after));
}

const WORDS: Readonly<Record<FieldsHash, { readonly code: string; readonly example: string }>> = {
  options: { code: 'bad-option', example: '{"strip": "1", "prepend": null}' },
  headers: { code: 'bad-header', example: '{"response:X-Frame-Options": "DENY", "response:Server": null}' },
  weights: { code: 'bad-weight', example: '{"http://10.0.0.1:8080": 100, "http://10.0.0.2:8080": "backup"}' },
  healthcheck: { code: 'bad-check', example: '{"path": "/health", "interval": 5, "timeout": null}' },
};

function changesOf(hash: FieldsHash, patch: unknown): FieldChanges {
  const { code, example } = WORDS[hash];
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    throw new Refusal(400, code, `send ${example}: fields to set, and null for those to go`);
  }
  const changes = new Map<string, string | null>();
  const faults: string[] = [];
  for (const [field, value] of Object.entries(patch)) {
    const text = textOf(value);
    const fault = text === undefined ? 'it must be a text, a number, true, false or null' : faultOf(hash, field, text);
    if (fault !== null) faults.push(`${JSON.stringify(field)}: ${fault}`);
    changes.set(field, text ?? null);
  }
  if (faults.length > 0) throw new Refusal(400, code, faults.join('; '));
  return changes;
}

/** The text to store; undefined for an invalid value. */
function textOf(value: unknown): string | null | undefined {
  if (value === null || typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** Unknown fields may be removed. */
function faultOf(hash: FieldsHash, field: string, text: string | null): string | null {
  return text === null ? null : editedFieldFault(hash, field, text);
}
