/** What an operator should look at first: problems of the router, its store, frontends and certificates. */
import type { Problem, SummaryAnswer } from '../admin/answers.ts';
import { adviceLines } from './copying.ts';
import { byId, make, render, setText } from './elements.ts';
import { linkToKey } from './site-link.ts';
import { lastLive } from './traffic.ts';
import { count } from './words.ts';

/** How many problems are shown at first. */
const FEW = 6;

const problems = {
  answer: null as SummaryAnswer | null,
  isExpanded: false,
};

const WORDS: Readonly<Record<Problem['kind'], string>> = {
  'all-dead': 'Down',
  errors: 'Errors',
  fault: 'Fault',
  certificate: 'Certificate',
  unread: 'Store',
};

/** One line of the list. */
interface Line extends Pick<Problem, 'severity' | 'frontend' | 'text' | 'advice'> {
  readonly word: string;
}

/** Keeps the problems of a response, and shows them. */
export function readSummary(answer: SummaryAnswer): void {
  problems.answer = answer;
  showProblems();
}

/** Shows all problems, or the first few. */
export function expandProblems(isExpanded: boolean): void {
  problems.isExpanded = isExpanded;
  showProblems();
}

/** Shows the problems of the last responses. */
export function showProblems(): void {
  const live = lastLive();
  if (live === null) return;
  const { answer, isExpanded } = problems;
  const lines = [...routerLines(), ...(answer?.problems ?? []).map(lineOf)];
  const all = lines.length + (answer?.moreProblems ?? 0);
  setText(byId('problems-count'), all === 0 ? '' : count(all));
  byId('problems').classList.toggle(
    'some',
    lines.some(({ severity }) => severity === 'error'),
  );
  const shown = isExpanded ? lines : lines.slice(0, FEW);
  const none = answer === null ? 'Asking the router.' : 'None found.';
  render(
    byId('problems-list'),
    lines.length === 0
      ? make('p', { class: answer === null ? 'aside' : 'good' }, none)
      : make('ul', { class: 'problems' }, ...shown.map(problemItem)),
    lines.length > FEW &&
      make(
        'button',
        { type: 'button', 'data-action': isExpanded ? 'fewer-problems' : 'more-problems', class: 'quiet' },
        isExpanded ? 'Show fewer' : `Show all ${count(lines.length)}`,
      ),
    isExpanded &&
      all > lines.length &&
      make('p', { class: 'aside' }, `${count(all - lines.length)} more are not listed.`),
  );
}

/** What the router says of itself. */
function routerLines(): readonly Line[] {
  const live = lastLive();
  if (live === null) return [];
  const { ready, refused, store } = live;
  const line = (word: string, severity: Line['severity'], text: string): Line => {
    return { word, severity, frontend: null, text, advice: '' };
  };
  const isSaid = ready.reasons.some((reason) => reason.includes('store'));
  return [
    ...(store.isUp || isSaid ? [] : [line('Store', 'error', `${store.name} does not reply`)]),
    ...ready.reasons.map((reason) => line(ready.isReady ? 'Degraded' : 'Not ready', 'error', reason)),
    ...refused.map((reason) => line('Change', 'error', reason)),
  ];
}

function lineOf({ kind, ...rest }: Problem): Line {
  return { word: WORDS[kind], ...rest };
}

function problemItem({ word, severity, frontend, text, advice }: Line): HTMLElement {
  return make(
    'li',
    { 'data-row': `${word} ${frontend ?? ''} ${frontend === null ? text : ''}` },
    make('span', { class: `mark ${severity === 'error' ? 'bad' : 'doubtful'}` }, word),
    make(
      'div',
      {},
      frontend !== null && make('a', { class: 'name key-name', href: linkToKey(frontend) }, frontend),
      frontend !== null && ' ',
      make('span', { class: 'name' }, text),
      adviceLines(advice),
    ),
  );
}
