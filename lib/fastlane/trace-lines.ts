/** The lines of W3C Trace Context among field lines that are neat: one space before a value, none after it. */
import { joinTrace, type Trace, type TracePolicy } from '../core/trace-context.ts';

const PARENTS = /^traceparent: (.*)\r\n/gim;
const STATES = /^tracestate: (.*)\r\n/gim;

/** The part in a trace that these lines ask for, and those to pass on: what core/request-headers.ts would. */
export function joinByLines(
  fields: string,
  isTrusted: boolean,
  policy: TracePolicy,
): { readonly trace: Trace; readonly fields: string } {
  const parents = valuesOf(fields, PARENTS);
  const trace = joinTrace({ parents, states: valuesOf(fields, STATES) }, isTrusted, policy);
  const rest = parents.length === 0 ? fields : fields.replaceAll(PARENTS, '');
  return { trace, fields: trace.parentId === null ? rest.replaceAll(STATES, '') : rest };
}

function valuesOf(fields: string, lines: RegExp): readonly string[] {
  return Array.from(fields.matchAll(lines), ([, value = '']) => value);
}
