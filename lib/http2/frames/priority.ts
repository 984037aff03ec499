/** Priorities of responses (RFC 9218 §4): the Priority field, and the value in PRIORITY_UPDATE. */

/** 0 is the most urgent; 7 the least. */
export interface Priority {
  readonly urgency: number;
  /** Parts of the response are of use before it is whole. */
  readonly isIncremental: boolean;
}

export const DEFAULT_PRIORITY: Priority = { urgency: 3, isIncremental: false };

const URGENCY = /(?:^|,)[ \t]*u=([0-7])[ \t]*(?=[,;]|$)/g;
const INCREMENTAL = /(?:^|,)[ \t]*i(?:=\?([01]))?[ \t]*(?=[,;]|$)/g;
/** Longer values are not read. */
const MAX_LENGTH = 256;

/** What values say of a stream without a priority. Browsers send few different ones. */
const known = new Map<string, Priority>();
const MAX_KNOWN = 100;

/**
 * Reads a priority. What it does not say is as in `before`, and members that are malformed are ignored. Of a member that
 * comes twice the last counts (RFC 9651 §3.2).
 */
export function priorityOf(value: string, before: Priority): Priority {
  if (value.length > MAX_LENGTH) return before;
  if (before !== DEFAULT_PRIORITY) return read(value, before);
  let priority = known.get(value);
  if (priority !== undefined) return priority;
  priority = read(value, before);
  if (known.size < MAX_KNOWN) known.set(value, priority);
  return priority;
}

function read(value: string, before: Priority): Priority {
  const urgency = lastOf(URGENCY, value);
  const incremental = lastOf(INCREMENTAL, value);
  if (urgency === null && incremental === null) return before;
  return {
    urgency: urgency === null ? before.urgency : Number(urgency[1]),
    isIncremental: incremental === null ? before.isIncremental : incremental[1] !== '0',
  };
}

function lastOf(pattern: RegExp, value: string): RegExpMatchArray | null {
  let last: RegExpMatchArray | null = null;
  for (const match of value.matchAll(pattern)) last = match;
  return last;
}
