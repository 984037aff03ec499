/** W3C Trace Context in normalised field lines: one space before each value, none after it. */
import { joinTrace, type Trace, type TracePolicy } from '../core/trace-context.ts';
import { endOf, isNamed } from '../http1/field-lines.ts';

interface TraceLine {
  readonly isParent: boolean;
  readonly at: number;
  /** Where the next line begins. */
  readonly next: number;
  readonly value: string;
}

const PARENT = 'traceparent';
const STATE = 'tracestate';
const COLON = 0x3a;

/** The trace that these lines join, and the lines to pass on. The same rule as in core/http/request-headers.ts. */
export function joinByLines(
  fields: string,
  isTrusted: boolean,
  policy: TracePolicy,
): { readonly trace: Trace; readonly fields: string } {
  const lines = traceLines(fields);
  const parents = lines.filter(({ isParent }) => isParent);
  const states = lines.filter(({ isParent }) => !isParent);
  const received = { parents: parents.map(({ value }) => value), states: states.map(({ value }) => value) };
  const trace = joinTrace(received, isTrusted, policy);
  return { trace, fields: without(fields, trace.parentId === null ? lines : parents) };
}

function traceLines(fields: string): readonly TraceLine[] {
  const lines: TraceLine[] = [];
  for (let at = 0; at < fields.length;) {
    const end = endOf(fields, at);
    const next = end + 2;
    if (fields.charCodeAt(at + PARENT.length) === COLON && isNamed(fields, at, PARENT)) {
      lines.push({ isParent: true, at, next, value: fields.slice(at + PARENT.length + 2, end) });
    } else if (fields.charCodeAt(at + STATE.length) === COLON && isNamed(fields, at, STATE)) {
      lines.push({ isParent: false, at, next, value: fields.slice(at + STATE.length + 2, end) });
    }
    at = next;
  }
  return lines;
}

function without(fields: string, lines: readonly TraceLine[]): string {
  let rest = '';
  let from = 0;
  for (const { at, next } of lines) {
    rest += fields.slice(from, at);
    from = next;
  }
  return rest + fields.slice(from);
}
