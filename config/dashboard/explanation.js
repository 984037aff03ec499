'use strict';
/* Why a request for a host goes where it goes. */

const explanation = {
  host: '',
  path: '/',
  /** @type {ExplainAnswer | null} */
  answer: null,
  heardAt: 0,
  asked: 0,
  /** Whether a reader waits for it, to be led there; by which of the questions it is answered is all the same. */
  isAwaited: false,
};

/**
 * Asks about a host and leads the reader to the answer.
 * @param {string} host
 * @param {string} path
 */
async function explain(host, path) {
  explanation.host = host;
  explanation.path = path.startsWith('/') ? path : `/${path}`;
  explanation.answer = null;
  explanation.isAwaited = true;
  say(part('explanation-fault'), '');
  part('explanation').hidden = false;
  showExplanation();
  await askForExplanation();
}

async function askForExplanation() {
  const number = ++explanation.asked;
  const { host, path } = explanation;
  const fault = part('explanation-fault');
  try {
    const answer = await askWhy(host, path);
    if (number !== explanation.asked) return;
    explanation.answer = answer;
    explanation.heardAt = performance.now();
    say(fault, '');
  } catch (error) {
    if (number !== explanation.asked) return;
    explanation.isAwaited = false;
    say(fault, `${host} cannot be explained: ${reasonOf(error)}`);
    if (isLocked(error)) throw error;
  } finally {
    if (number === explanation.asked) showExplanation();
  }
  if (explanation.isAwaited) part('explanation-title').focus();
  explanation.isAwaited = false;
}

/** Asks anew when it is shown. */
async function askAgain() {
  if (!part('explanation').hidden && explanation.host !== '') await askForExplanation();
}

function closeExplanation() {
  explanation.asked++;
  explanation.answer = null;
  explanation.isAwaited = false;
  part('explanation').hidden = true;
  part('host').focus();
}

function showExplanation() {
  if (part('explanation').hidden) return;
  const { answer, heardAt } = explanation;
  say(part('explanation-title'), `Why ${explanation.host} goes where it goes`);
  if (answer === null) {
    const isAsking = part('explanation-fault').textContent === '';
    show(part('explanation-body'), isAsking && make('p', { class: 'empty' }, 'Asking the router.'));
    return;
  }
  const isServed = answer.answer.kind !== 'refused';
  const as = answer.host !== null && answer.host !== answer.asked ? `, looked up as ${answer.host}` : '';
  const age = (performance.now() - heardAt) / 1000;
  show(
    part('explanation-body'),
    make(
      'p',
      { class: `verdict ${isServed ? 'good' : 'bad'}`, id: 'verdict' },
      make('strong', {}, verdictOf(answer.answer)),
      answer.answer.text,
    ),
    make(
      'p',
      { class: 'aside' },
      `Asked for ${answer.asked}${as}, path ${answer.path}. Read ${age < 1.5 ? 'just now' : `${duration(age)} ago`} from ${answer.store.name}`,
      answer.store.hasHealthChecker ? ', and a health checker runs beside it.' : '.',
    ),
    ...chosen(answer),
    make('h3', {}, 'Keys, in the order they are asked'),
    make('ol', { class: 'keys' }, ...answer.keys.map((key) => keyItem(key))),
    ...(answer.near.length === 0 ? [] : nearKeys(answer.near)),
    make('h3', {}, 'What each worker remembers'),
    memories(answer.workers, age),
  );
}

/** @param {ExplainAnswer['answer']} answer */
function verdictOf({ kind, status }) {
  switch (kind) {
    case 'backend':
      return 'Served: ';
    case 'paused':
      return 'Kept waiting: ';
    case 'redirect':
      return `Redirected with ${status}: `;
    case 'refused':
      return `Refused with ${status}: `;
  }
}

/** @param {ExplainAnswer} answer */
function chosen({ route, dead }) {
  if (route === null) return [];
  return [
    make('h3', {}, `Backends of ${route.key}`, route.name === '' ? '' : `, “${route.name}”`),
    route.backends.length === 0
      ? make('p', { class: 'empty' }, 'None.')
      : make('ul', { class: 'backends' }, ...route.backends.map((each) => backendItem(each, explanation.heardAt))),
    faultsList(route.faults),
    dead === null
      ? null
      : make(
          'div',
          { class: 'dead-key' },
          make('code', { class: 'name' }, dead.key),
          ' ',
          dead.holds.length === 0
            ? 'is not there: no backend is presumed dead.'
            : `holds the ${dead.holds.length === 1 ? 'id' : 'ids'} ${dead.holds.join(', ')}${dead.secondsLeft === null ? ', without an end' : `, for ${leftOf(dead.secondsLeft)} more`}.`,
          faultsList(dead.faults),
        ),
  ];
}

/** @param {number} seconds */
function leftOf(seconds) {
  return duration(Math.ceil(seconds - (performance.now() - explanation.heardAt) / 1000));
}

/** @param {KeyAnswer} key */
function keyItem({ key, type, holds, secondsLeft, verdict, faults }) {
  const isThere = type !== 'none';
  return make(
    'li',
    { class: `verdict-${verdict.replaceAll(' ', '-')}` },
    make('code', { class: 'name' }, key),
    ' ',
    make('span', { class: 'mark' }, verdict),
    isThere &&
      make('span', { class: 'aside' }, ` ${type}${secondsLeft === null ? '' : `, expires in ${leftOf(secondsLeft)}`}`),
    holds.length > 0 && heldBy(holds),
    faultsList(faults),
  );
}

/** @param {readonly string[]} holds */
function heldBy(holds) {
  const few = 50;
  return make(
    'ol',
    { class: 'holds', start: 0 },
    ...holds
      .slice(0, few)
      .map((element, i) =>
        make(
          'li',
          { class: 'name' },
          element === '' ? '(empty)' : element,
          make('span', { class: 'aside' }, i === 0 ? ' identifier' : ` backend ${i - 1}`),
        ),
      ),
    holds.length > few && make('li', { class: 'aside' }, `and ${count(holds.length - few)} more`),
  );
}

/** @param {ExplainAnswer['near']} near */
function nearKeys(near) {
  return [
    make('h3', {}, 'Keys that look as if they were meant for this host'),
    make(
      'ul',
      { class: 'keys' },
      ...near.map(({ key, faults }) => make('li', {}, make('code', { class: 'name' }, key), faultsList(faults))),
    ),
  ];
}

const KNOWS = {
  fresh: 'fresh: served without asking the store',
  stale: 'stale: serves only while the store is silent',
  nothing: 'nothing: asks the store',
};

/**
 * @param {ExplainAnswer['workers']} workers
 * @param {number} age seconds since the answer
 */
function memories(workers, age) {
  if (workers.length === 0) return make('p', { class: 'empty' }, 'No worker told.');
  return make(
    'ul',
    { class: 'keys' },
    ...workers.map((worker) => {
      const dead = new Set(worker.dead);
      return make(
        'li',
        { 'data-row': worker.pid, class: `knows-${worker.knows}` },
        make('span', {}, `Worker ${worker.pid}, generation ${worker.generation}: `),
        make('span', { class: 'mark' }, KNOWS[worker.knows] ?? worker.knows),
        worker.ageSeconds !== null &&
          make('span', { class: 'aside' }, ` from ${duration(worker.ageSeconds + age)} ago`),
        worker.backends !== null &&
          worker.backends.length > 0 &&
          make(
            'ul',
            { class: 'backends' },
            ...worker.backends.map((url, id) =>
              make(
                'li',
                { 'data-row': id, class: `backend ${dead.has(id) ? 'dead' : 'alive'}` },
                make('span', { class: 'name' }, url),
                ' ',
                make('span', { class: 'mark' }, dead.has(id) ? 'dead' : 'alive'),
              ),
            ),
          ),
      );
    }),
  );
}
