import { encodeHuffman, huffmanBytes } from './huffman.ts';
import { writeInteger } from './integers.ts';
import { STATIC_INDICES } from './static-table.ts';

/**
 * Response fields whose values repeat: these are added to the dynamic table. Values of other fields differ each time, or
 * must not be guessed by their compressed size (RFC 7541 §7.1), such as Set-Cookie.
 */
const REPEATED =
  'accept-ranges access-control-allow-credentials access-control-allow-headers access-control-allow-methods ' +
  'access-control-allow-origin access-control-expose-headers access-control-max-age allow alt-svc cache-control ' +
  'content-encoding content-language content-security-policy content-type cross-origin-embedder-policy ' +
  'cross-origin-opener-policy cross-origin-resource-policy date grpc-accept-encoding grpc-encoding grpc-status ' +
  'permissions-policy referrer-policy server server-timing strict-transport-security timing-allow-origin vary via ' +
  'x-cache x-content-type-options x-dns-prefetch-control x-frame-options x-powered-by x-robots-tag x-ua-compatible ' +
  'x-xss-protection';
/** Fields that no hop may index (RFC 7541 §7.1.3). */
const SECRET = 'authentication-info proxy-authenticate proxy-authentication-info set-cookie www-authenticate';

const WITHOUT_INDEXING = 0x00;
const NEVER_INDEXED = 0x10;
const WITH_INDEXING = 0x40;

/** How a field name is encoded. */
export interface FieldPlan {
  readonly name: string;
  /** A literal with this name without indexing, up to its value. */
  readonly literal: Uint8Array;
  /** A literal with this name that is added to the table, up to its value; null if it is never added. */
  readonly addition: Uint8Array | null;
  /** The number of this plan among those with additions: less than `REPEATED_FIELDS`; 0 for others. */
  readonly slot: number;
}

const repeated = REPEATED.split(' ');
const secret = new Set(SECRET.split(' '));

/** The number of fields that are added to the dynamic table. */
export const REPEATED_FIELDS = repeated.length;

const PLANS: ReadonlyMap<string, FieldPlan> = new Map(
  [...new Set([...STATIC_INDICES.keys(), ...repeated, ...secret])].map((name) => [name, planOf(name)] as const),
);

/** The plan of a field name in lower case; undefined if it has none: then it is a literal with a literal name. */
export function fieldPlan(name: string): FieldPlan | undefined {
  return PLANS.get(name);
}

function planOf(name: string): FieldPlan {
  const slot = repeated.indexOf(name);
  return {
    name,
    literal: headOf(name, secret.has(name) ? NEVER_INDEXED : WITHOUT_INDEXING, 0x0f),
    addition: slot < 0 ? null : headOf(name, WITH_INDEXING, 0x3f),
    slot: Math.max(slot, 0),
  };
}

function headOf(name: string, flags: number, mask: number): Uint8Array {
  const bytes = new Uint8Array(name.length + 8);
  const index = STATIC_INDICES.get(name) ?? 0;
  let at = writeInteger(bytes, 0, flags, mask, index);
  if (index === 0) {
    at = writeInteger(bytes, at, 0x80, 0x7f, huffmanBytes(name));
    at = encodeHuffman(name, bytes, at);
  }
  return bytes.slice(0, at);
}
