/** All frontends in one line each, sorted and filtered, and what is wrong. */
import { ratesOf } from '../core/record/recent-activity.ts';
import { EditorError } from '../store/editor-error.ts';
import type { AllFrontends, ReadFrontends } from './all-frontends.ts';
import type { Problem, SortKey, SummaryAnswer } from './answers.ts';
import {
  countsOf,
  isShown,
  problemsOf,
  type RatesOf,
  sorted,
  STATE_FILTERS,
  type StateFilter,
  summaryOf,
} from './frontend-summary.ts';
import type { LintWatch } from './lint-watch.ts';
import { json, Refusal, type Reply } from './reply.ts';
import type { Totals } from './totals.ts';

const SORT_KEYS: readonly SortKey[] = ['key', 'traffic', 'errors', 'latency', 'state'];
const PAGE = 100;
const MAX_PAGE = 2_000;
const MAX_PROBLEMS = 100;

/** What the summary is made of. */
export interface SummaryParts {
  readonly all: Pick<AllFrontends, 'read'>;
  readonly lint: Pick<LintWatch, 'problems'>;
  readonly totals: Totals;
}

/** The response to `GET /api/v1/summary`. While the store cannot be read, a problem says so. */
export async function summary(query: URLSearchParams, { all, lint, totals }: SummaryParts): Promise<Reply> {
  const by = oneOf(query, 'sort', SORT_KEYS, 'state');
  const filter: StateFilter = oneOf(query, 'state', STATE_FILTERS, 'all');
  const limit = wholeNumber(query, 'limit', PAGE, 1, MAX_PAGE);
  const from = wholeNumber(query, 'from', 0, 0, Number.MAX_SAFE_INTEGER);
  const match = query.get('match') ?? '';
  const { read, unread } = await readOrFault(all);
  const rates = ratesIn(totals);
  const summaries = read.frontends.map((each) => summaryOf(each, rates));
  const problems = [...unread, ...problemsOf(read.frontends, summaries), ...lint.problems];
  const found = summaries.filter((each) => isShown(each, match, filter));
  return json({
    readAt: new Date(read.at).toISOString(),
    isComplete: read.isComplete,
    counts: countsOf(summaries),
    problems: problems.slice(0, MAX_PROBLEMS),
    moreProblems: Math.max(0, problems.length - MAX_PROBLEMS),
    found: found.length,
    frontends: sorted(found, by).slice(from, from + limit),
  } satisfies SummaryAnswer);
}

async function readOrFault(
  all: SummaryParts['all'],
): Promise<{ readonly read: ReadFrontends; readonly unread: readonly Problem[] }> {
  try {
    return { read: await all.read(), unread: [] };
  } catch (error) {
    if (!(error instanceof EditorError)) throw error;
    const text = `the frontends cannot be read: ${error.message}`;
    const unread: Problem = { kind: 'unread', severity: 'error', frontend: null, text, advice: '' };
    return { read: { at: Date.now(), isComplete: false, frontends: [] }, unread: [unread] };
  }
}

/** Frontends may share an identifier: its rates are computed once. */
function ratesIn({ frontends, now }: Totals): RatesOf {
  const known = new Map<string, ReturnType<RatesOf>>();
  return (name) => {
    let rates = known.get(name);
    if (rates === undefined) {
      const metrics = frontends.find(name);
      rates = metrics && ratesOf([metrics.recent.read(now())]);
      known.set(name, rates);
    }
    return rates;
  };
}

function oneOf<Word extends string>(query: URLSearchParams, field: string, words: readonly Word[], usual: Word): Word {
  const asked = query.get(field) ?? usual;
  const found = words.find((word) => word === asked);
  if (found === undefined) throw new Refusal(400, `bad-${field}`, `${field} must be one of ${words.join(', ')}`);
  return found;
}

function wholeNumber(query: URLSearchParams, field: string, usual: number, least: number, most: number): number {
  const value = Number(query.get(field) ?? usual);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Refusal(400, `bad-${field}`, `${field} must be a whole number from ${least} to ${most}`);
}
