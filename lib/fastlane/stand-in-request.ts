/** Request heads for the full lane that Node's parser accepts. */
import { METHODS } from 'node:http';
import type { ReadRequest } from './request-grammar.ts';

const KNOWN: ReadonlySet<string> = new Set(METHODS);
// oxlint-disable-next-line no-control-regex -- all of ASCII
const ASCII = /^[\0-\x7f]*$/;
/** A method without special rules for bodies of requests or responses. */
const USUAL = 'POST';

/**
 * The request's head as received, or with another request line where Node's parser would respond 400: it accepts only
 * a fixed list of methods, and ASCII targets. The full lane reads the real method and target from HandoffState.
 */
export function headForNode({ text, method, target }: ReadRequest): string {
  const isKnown = KNOWN.has(method);
  if (isKnown && ASCII.test(target)) return text;
  return `${isKnown ? method : USUAL} /${text.slice(method.length + 1 + target.length)}`;
}
