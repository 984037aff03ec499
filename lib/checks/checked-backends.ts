import { readResult } from '../core/health/check-result.ts';
import { type CheckRules, type CheckState, UNCHECKED } from '../core/health/check-rules.ts';
import { isDialled, originOf } from '../core/routing/backend.ts';
import { parseBackend } from '../core/routing/backend-url.ts';
import type { Backend } from '../core/routing/types.ts';
import { checkRulesOf, hostOfChecks } from '../sites/healthcheck.ts';
import type { DueList } from '../store/checks.ts';

/** A backend of a list that is due. */
export interface CheckedBackend {
  readonly key: string;
  /** As in the list, trimmed. */
  readonly url: string;
  /** See `CheckReport`. */
  readonly entry: string;
  readonly backend: Backend;
  readonly rules: CheckRules;
  /** The Host field of the check, where the rules say none. */
  readonly host: string;
  /** What its checks have shown so far. */
  readonly state: CheckState;
  /** A router or a check has marked it dead, for this URL. */
  readonly isMarked: boolean;
  /** See `CheckReport`. */
  readonly unusable: readonly string[];
}

/** The backends of a list that are checked: each server once, however often it stands there. Pure. */
export function checkedBackends(due: DueList): readonly CheckedBackend[] {
  const { key, fields, list, dead, marks, down, results } = due;
  const rules = checkRulesOf(fields);
  const members = new Set(dead);
  const marked = new Set<string>(down);
  for (let i = 0; i + 1 < marks.length; i += 2) {
    const [id = '', url = ''] = marks.slice(i, i + 2);
    if (members.has(id) && list[Number(id) + 1]?.trim() === url) marked.add(url);
  }
  const unusable: string[] = [];
  const backends = new Map<string, Backend>();
  for (let i = 1; i < list.length; i++) {
    const url = list[i]?.trim() ?? '';
    if (backends.has(url)) continue;
    const parsed = parseBackend(url, i - 1);
    if ('fault' in parsed) unusable.push(url);
    // The router itself answers for the others.
    else if (isDialled(parsed.backend)) backends.set(url, parsed.backend);
  }
  return [...backends].map(([url, backend]) => ({
    key,
    url,
    entry: url.includes(';') ? originOf(backend) : url,
    backend,
    rules,
    host: hostOfChecks(key, backend),
    state: readResult(results.get(url) ?? '')?.state ?? UNCHECKED,
    isMarked: marked.has(url),
    unusable,
  }));
}
