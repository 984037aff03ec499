/**
 * W3C Trace Context (https://www.w3.org/TR/trace-context-2/): which traces of callers are continued, and what is sent
 * to backends.
 */

export interface TracePolicy {
  /** Returns random bytes as lower-case hexadecimal digits. */
  readonly randomHex: (bytes: number) => string;
  /** Returns [0, 1). */
  readonly random: () => number;
  /** The sampled share of exchanges for which no caller decides, 0 to 1. */
  readonly sample: number;
  /** Whether the sampled flag of a trusted peer decides. Flags of other clients never do. */
  readonly obeysTrusted: boolean;
}

/** The trace fields of a request: all values, in order. */
export interface ReceivedTrace {
  readonly parents: readonly string[];
  readonly states: readonly string[];
}

export const NOTHING_RECEIVED: ReceivedTrace = { parents: [], states: [] };

/** One exchange's part in a trace. Its attempts' spans follow from its own: see `attemptId`. */
export interface Trace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** The caller's span, 16 hexadecimal digits; null when the trace begins here. */
  readonly parentId: string | null;
  /** The exchange's span, 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether its spans are exported. */
  readonly isSampled: boolean;
  /** trace-flags for backends, two hexadecimal digits. */
  readonly flags: string;
  /** tracestate, as received; empty when there is none, or the trace begins here. */
  readonly state: string;
}

interface Traceparent {
  readonly traceId: string;
  readonly parentId: string;
  readonly flags: number;
}

/** The caller records its spans. */
const SAMPLED = 0x01;
/** The trace id is random (Level 2); the flag is passed on when a trace is continued. */
const RANDOM_ID = 0x02;

const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads a traceparent as §3.2 has it; null when it is not valid. Of later versions, what this one knows is read. */
export function parseTraceparent(value: string): Traceparent | null {
  const match = TRACEPARENT.exec(value);
  if (!match) return null;
  const [, version = '', traceId = '', parentId = '', flags = '', more] = match;
  if (version === '00' && more !== undefined) return null;
  return { traceId, parentId, flags: Number.parseInt(flags, 16) };
}

/** Continues the trace that a request brings; begins one when it brings none, or none that is beyond doubt. */
export function joinTrace({ parents, states }: ReceivedTrace, isTrusted: boolean, policy: TracePolicy): Trace {
  const [value] = parents;
  // Two may be one that was forged and one that was not.
  const parent = value === undefined || parents.length > 1 ? null : parseTraceparent(value);
  if (parent === null) return beginTrace(policy);
  const { traceId, parentId, flags } = parent;
  const isDecided = isTrusted && policy.obeysTrusted;
  // By chance, not by trace id: strangers choose theirs, and would choose those that are sampled.
  const isSampled = isDecided ? (flags & SAMPLED) !== 0 : policy.random() < policy.sample;
  return {
    traceId,
    parentId,
    spanId: notZero(policy.randomHex(8)),
    isSampled,
    flags: `0${(flags & RANDOM_ID) | (isSampled ? SAMPLED : 0)}`,
    state: states.join(','),
  };
}

function beginTrace(policy: TracePolicy): Trace {
  const digits = policy.randomHex(24);
  const isSampled = policy.random() < policy.sample;
  return {
    traceId: notZero(digits.slice(0, 32)),
    parentId: null,
    spanId: notZero(digits.slice(32)),
    isSampled,
    // RANDOM_ID would be true, but those that know Level 1 only may not expect it.
    flags: isSampled ? '01' : '00',
    state: '',
  };
}

/**
 * The span id of one attempt, derived from the exchange's, so that lanes need not exchange ids. If nothing is
 * exported, it is the exchange's own.
 * @param place index of the attempt within its exchange
 */
export function attemptId({ spanId, isSampled }: Trace, place: number): string {
  if (!isSampled) return spanId;
  // 1 to 2^32 - 1: never zero, never the exchange's own.
  const low = ((Number.parseInt(spanId.slice(8), 16) + place) % 0xffff_ffff) + 1;
  return spanId.slice(0, 8) + low.toString(16).padStart(8, '0');
}

/** The traceparent for a backend. @param place index of the attempt within its exchange */
export function traceparent(trace: Trace, place: number): string {
  return `00-${trace.traceId}-${attemptId(trace, place)}-${trace.flags}`;
}

/** An id of nothing but zeros is not valid. */
function notZero(digits: string): string {
  return /[^0]/.test(digits) ? digits : `${digits.slice(0, -1)}1`;
}
