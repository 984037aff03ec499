import type { RequestLimits } from '../core/limits/exchange-limits.ts';
import type { ReadRequest } from './request-grammar.ts';

/** Whether a request is within its limits so far. @param bodyBytes that have come */
export function fits({ text, length }: ReadRequest, bodyBytes: number, limits: RequestLimits): boolean {
  const { bodyBytes: most, headerBytes } = limits;
  return !isOver(text.length, headerBytes) && !isOver(length, most) && !isOver(bodyBytes, most);
}

/** @param limit bytes; 0 is none */
export function isOver(bytes: number, limit: number): boolean {
  return limit > 0 && bytes > limit;
}

/** One of 0 bytes is none. */
export function hasBody({ framing, length }: ReadRequest): boolean {
  return framing === 'chunked' || length > 0;
}
