/** Requests for the full lane, in words that Node's parser takes. */
import { METHODS } from 'node:http';
import type { ReadRequest } from './request-grammar.ts';

const KNOWN: ReadonlySet<string> = new Set(METHODS);
// oxlint-disable-next-line no-control-regex -- all of ASCII
const ASCII = /^[\0-\x7f]*$/;
/** A method that says nothing of its own about bodies, of the request and of the answer. */
const USUAL = 'POST';

/**
 * A request's head as it came, or with another request line where Node's parser would answer 400: methods are a fixed list
 * there, and targets are ASCII. The full lane reads method and target in `HandoffState`.
 */
export function headForNode({ text, method, target }: ReadRequest): string {
  const isKnown = KNOWN.has(method);
  if (isKnown && ASCII.test(target)) return text;
  return `${isKnown ? method : USUAL} /${text.slice(method.length + 1 + target.length)}`;
}
