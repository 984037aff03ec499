/** `headers:<key>`: fields that requests for backends, or responses for clients, have instead of their own of that name. */
import { isClientCertificateField } from '../core/http/client-certificate.ts';
import { aliasedName } from '../core/http/field-alias.ts';
import { isForwardedField } from '../core/http/forwarded.ts';
import { isHopByHop } from '../core/http/hop-by-hop.ts';
import { isToken } from '../core/http/token.ts';
import { trimmed } from '../core/http/white-space.ts';
import type { SiteBehaviour, SiteFeature } from './feature.ts';
import { HASH_RULES } from './hashes.ts';

type Direction = 'request' | 'response';

/** A field of the hash, as it is read. */
interface HeaderField {
  readonly direction: Direction;
  readonly name: string;
  /** "" removes the field. */
  readonly value: string;
}

/** What is done to the fields of one direction. */
interface FieldEdits {
  /** Names in lower case of fields that are taken out. */
  readonly removed: ReadonlySet<string>;
  /** Names and values in turn. */
  readonly added: readonly string[];
}

/** Characters of a name, and of a value. */
const MAX_NAME = 100;
const MAX_VALUE = 4_096;

const FIELD = /^(request|response):(.*)$/s;
/** RFC 9110 §5.5, without what is not ASCII: Redis has UTF-8, and HTTP would have single bytes. */
const VALUE = /^[\t -~]*$/;

/** Fields that frame a message, or open a tunnel: the router writes them by what it has read. */
const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'trailer', 'host', 'expect']);
/** Fields that prove something because only the router writes them. */
const ROUTERS_OWN: ReadonlySet<string> = new Set(['x-request-id', 'x-router-error', 'traceparent', 'tracestate']);
/** Fields about one connection beyond those that `isHopByHop` names. `Proxy`: see CVE-2016-5385. */
const OF_CONNECTION = /^(?:proxy|proxy-authenticate|proxy-authorization|proxy-authentication-info|sec-websocket-.*)$/;
/** What keeps responses of the router itself out of caches. */
const FRESHNESS: ReadonlySet<string> = new Set(['cache-control', 'pragma', 'expires']);

export const headers: SiteFeature = {
  hash: 'headers',
  fieldNames: [],
  has: (field) => FIELD.test(field),
  // Names of fields are the same in any case (RFC 9110 §5.1).
  identityOf: (field) => field.toLowerCase(),
  isOfThePath: () => false,
  fault: (field, text) => {
    const read = readField(field, text);
    return typeof read === 'string' ? read : null;
  },
  behaviour: (fields) => {
    const read = fields.map(([field, text]) => readField(field, text)).filter((each) => typeof each === 'object');
    return behaviourOf(editsOf(read, 'request'), editsOf(read, 'response'));
  },
  idle: (used) => {
    const seen = new Map<string, string>();
    for (const field of used) {
      const other = seen.get(field.toLowerCase());
      seen.set(field.toLowerCase(), field);
      if (other === undefined) continue;
      return { fields: [other], text: `"${other}" beside "${field}", which is the same field` };
    }
    return null;
  },
};

/** Left out, `mayServeFast` has every request of the site served by the full lane. */
function behaviourOf(request: FieldEdits | null, response: FieldEdits | null): SiteBehaviour {
  const beside = response && withoutFreshness(response);
  return {
    ...(request && { request: (fields) => edited(fields, request, aliasedName) }),
    ...(response &&
      beside && {
        // What the router says of its own response to caches holds: a long life for a site's files is none for its errors.
        response: (fields, { backend }) => edited(fields, backend === null && hasFreshness(fields) ? beside : response),
        switching: (fields) => edited(fields, response),
      }),
  };
}

/**
 * Takes fields out, then adds some.
 * @param aliasOf of requests: backends that are CGI programs take `X_Secret` for `X-Secret`, so a client must not send either
 */
function edited(
  fields: readonly string[],
  { removed, added }: FieldEdits,
  aliasOf: ((lowerName: string) => string) | null = null,
): readonly string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const lower = name.toLowerCase();
    if (!removed.has(aliasOf === null ? lower : aliasOf(lower))) kept.push(name, fields[i + 1] ?? '');
  }
  kept.push(...added);
  return kept;
}

function hasFreshness(fields: readonly string[]): boolean {
  for (let i = 0; i < fields.length; i += 2) if (fields[i]?.toLowerCase() === 'cache-control') return true;
  return false;
}

function withoutFreshness(edits: FieldEdits): FieldEdits {
  const added: string[] = [];
  for (let i = 0; i < edits.added.length; i += 2) {
    const name = edits.added[i] ?? '';
    if (!FRESHNESS.has(name.toLowerCase())) added.push(name, edits.added[i + 1] ?? '');
  }
  return { removed: new Set([...edits.removed].filter((name) => !FRESHNESS.has(name))), added };
}

function editsOf(fields: readonly HeaderField[], wanted: Direction): FieldEdits | null {
  const removed = new Set<string>();
  const added: string[] = [];
  for (const { direction, name, value } of fields) {
    if (direction !== wanted) continue;
    const lower = name.toLowerCase();
    removed.add(direction === 'request' ? aliasedName(lower) : lower);
    if (value !== '') added.push(name, value);
  }
  return removed.size === 0 ? null : { removed, added };
}

/** @returns a string that says what is wrong, where something is */
function readField(field: string, text: string): HeaderField | string {
  const [, direction, name = ''] = FIELD.exec(field) ?? [];
  if (direction !== 'request' && direction !== 'response') return HASH_RULES.headers.unknown;
  if (name.length > MAX_NAME) return `a name has ${MAX_NAME} characters at most`;
  if (!isToken(name)) return 'its name cannot be that of a field';
  const refusal = refusalOf(aliasedName(name.toLowerCase()));
  if (refusal !== null) return refusal;
  const value = trimmed(text);
  if (value.length > MAX_VALUE) return `a value has ${MAX_VALUE} characters at most`;
  if (!VALUE.test(value)) return 'its value has a character that is not printable ASCII';
  return { direction, name, value };
}

/** Why a field is not the operator's to set; null where it is. @param name in lower case, as CGI programs see it */
function refusalOf(name: string): string | null {
  if (FRAMING.has(name)) return 'the router itself frames messages';
  if (isHopByHop(name) || OF_CONNECTION.test(name)) return 'the field is about one connection, not about the message';
  if (isClientCertificateField(name) || isForwardedField(name) || ROUTERS_OWN.has(name)) {
    return 'the router itself vouches for this field';
  }
  return null;
}
