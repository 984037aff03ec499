/** Conditional edits: If-Match and If-None-Match (RFC 9110 section 13.1). Pure functions. */
import type { IncomingHttpHeaders } from 'node:http';
import { type FrontendSet, tagOf } from '../store/editor/frontend-set.ts';
import { Refusal } from './reply.ts';

/** What an edit requires of the frontend that it changes. */
export interface Condition {
  readonly match: Tags | null;
  readonly noneMatch: Tags | null;
}

/** Entity tags; `any` for `*`. */
type Tags = 'any' | readonly string[];

/** RFC 9110 section 8.8.3: `W/` marks a weak one. */
const TAG = /^(?:W\/)?"[\x21\x23-\x7E\x80-\xFF]*"$/;

/** The condition of a request; null without one. @throws Refusal for a field that is invalid */
export function conditionOf(headers: IncomingHttpHeaders): Condition | null {
  const match = tagsOf('If-Match', headers['if-match']);
  const noneMatch = tagsOf('If-None-Match', headers['if-none-match']);
  return match === null && noneMatch === null ? null : { match, noneMatch };
}

/**
 * @param exists whether there is what the request is about
 * @throws Refusal 412 when the condition is not met
 */
export function checkCondition({ match, noneMatch }: Condition, set: FrontendSet, exists: boolean): void {
  const tag = tagOf(set);
  // Strong comparison: a weak tag never matches.
  if (match !== null && !(exists && (match === 'any' || match.includes(tag)))) {
    throw failed('the frontend is not as If-Match says', tag);
  }
  if (
    noneMatch !== null &&
    exists &&
    (noneMatch === 'any' || noneMatch.some((each) => each.replace(/^W\//, '') === tag))
  )
    throw failed('the frontend is there, or as If-None-Match says', tag);
}

function failed(text: string, tag: string): Refusal {
  return new Refusal(412, 'changed', `${text}; nothing was written`, { ETag: tag });
}

function tagsOf(name: string, field: string | undefined): Tags | null {
  if (field === undefined) return null;
  if (field.trim() === '*') return 'any';
  // No tag of this interface has a comma.
  const tags = field.split(',').map((tag) => tag.trim());
  if (tags.every((tag) => TAG.test(tag))) return tags;
  throw new Refusal(400, 'bad-condition', `${name} must be *, or entity tags in quotes`);
}
