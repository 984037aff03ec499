import { explain } from '../diagnostics/explain.ts';
import type {
  AnswerView,
  CertificateView,
  CheckView,
  DeadView,
  Explanation,
  KeyView,
  LiveExplanation,
  MemoryView,
} from '../diagnostics/explanation.ts';
import { editorAt } from '../store/editor/past-editor.ts';
import { askAdmin } from './admin-client.ts';
import { activityLines, recentlyFailed } from './backend-lines.ts';
import { CommandFailure } from './command.ts';
import { clean, type Console, paint, Table } from './console.ts';
import { type Probed, probeAll, probeLines } from './route-probe.ts';
import { frontendLines } from './route-show.ts';
import { shownText } from './route-fields.ts';
import type { RouteRun } from './route-run.ts';
import { counted, faultLines } from './show-fault.ts';

/** Prints where a request goes. Exit code 1 when the router would respond with an error of its own. */
export async function explainRoute(run: RouteRun): Promise<number> {
  const { console, words, isJson, at } = run;
  const editor = at === null ? run.editor : await editorAt(run.editor, at);
  const target = targetOf(words[0] ?? '', words[1]);
  // Of the past, the router has nothing.
  const told = await askRouter(at === null ? run : { ...run, admin: null }, target);
  const { scheme, host, path } = target;
  const explanation =
    told instanceof CommandFailure ? await explain(editor, host, path, { ...run.surroundings, scheme }) : told;
  const silence = told instanceof CommandFailure && told.code !== NO_ADMIN ? told.message : null;
  const probes = run.isProbing ? await probesFor(run, explanation) : null;
  const text = isJson
    ? JSON.stringify(probes === null ? explanation : { ...explanation, probes })
    : linesOf(console, explanation, silence, probes).join('\n');
  await console.write(`${text}\n`);
  return (explanation.answer.status ?? 200) < 400 ? 0 : 1;
}

/** Sends what a client's request would become to each backend of the frontend. */
async function probesFor(
  { editor, backendTls }: RouteRun,
  { host, asked, path, asks, route }: Explanation,
): Promise<readonly Probed[]> {
  const sent = { authority: host ?? asked, path: asks ?? path };
  return await probeAll(route?.backends ?? [], sent, editor.urls, backendTls());
}

const NO_ADMIN = 'no-admin';

/** The explanation of the running router, which has its workers' memory; or why there is none. */
async function askRouter(
  { admin }: RouteRun,
  { scheme, host, path }: Target,
): Promise<LiveExplanation | CommandFailure> {
  if (admin === null || host === '') return new CommandFailure(NO_ADMIN, 'the configuration has no admin interface');
  const target = `/api/v1/frontends/${encodeURIComponent(host)}/explain?path=${encodeURIComponent(path)}&scheme=${scheme}`;
  try {
    const told = await askAdmin(admin, target);
    // Another program may listen on the address.
    return isExplanation(told)
      ? told
      : new CommandFailure('admin-unavailable', `${admin.name} is not the admin interface`);
  } catch (error) {
    if (error instanceof CommandFailure) return error;
    throw error;
  }
}

function isExplanation(told: unknown): told is LiveExplanation {
  return ['answer', 'keys', 'options', 'beside', 'near', 'store', 'workers'].every(
    (key) => Object(told)[key] instanceof Object,
  );
}

/** The parts of a request that the command line names. */
interface Target {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly path: string;
}

/** Accepts URLs, and keys with a path. */
function targetOf(word: string, path: string | undefined): Target {
  const [, secure = '', host = '', rest = ''] = /^(?:http(s?):\/\/)?([^/?#]+)([^#]*)/i.exec(word) ?? [];
  const own = rest === '' || rest.startsWith('/') ? rest : `/${rest}`;
  const scheme = secure === '' ? 'http' : 'https';
  return { scheme, host: host === '' ? word : host, path: path ?? (own === '' ? '/' : own) };
}

function linesOf(
  console: Console,
  explanation: Explanation & Partial<LiveExplanation>,
  silence: string | null,
  probes: readonly Probed[] | null,
): readonly string[] {
  const { asked, host, path, answer, keys, route, dead, certificate, near, store, workers = [] } = explanation;
  // A router of an older version sends none.
  const activity = explanation.activity ?? null;
  const now = Date.now();
  const failed = route === null ? 0 : recentlyFailed(route, activity, now);
  // A router of another version may have none.
  const { checks = [] } = explanation as Partial<Explanation>;
  const isFine = (answer.status ?? 200) < 400;
  const verdict = paint(console, isFine ? (failed > 0 ? 'yellow' : 'green') : 'red', verdictOf(answer));
  const warning = isFine && failed > 0 ? ` Within the last minute, ${failed} of these backends failed.` : '';
  return [
    `A request for ${clean(host ?? asked)}${clean(path)} ${verdict} ${clean(answer.text)}.${warning}`,
    ...section(console, 'Keys, in the order of lookup', keyLines(console, keys)),
    ...section(console, 'Frontend', route === null ? [] : frontendLines(console, { ...route, faults: [] })),
    ...section(
      console,
      'Backends in the last minute, over all workers',
      activity === null ? [] : activityLines(console, activity, now),
    ),
    ...(probes === null
      ? []
      : section(console, 'A request to each backend, from this machine', probeLines(console, probes))),
    ...section(console, 'Prefixes and options', siteLines(console, explanation)),
    ...section(console, 'Active checks', checks.map(checkLine)),
    ...section(console, 'Dead marks', dead === null ? [] : deadLines(console, dead)),
    ...section(console, 'Certificate', certificate === null ? [] : certificateLines(console, certificate)),
    ...section(
      console,
      'Perhaps meant for this host, but never looked up',
      near.flatMap(({ key, faults }) => faults.flatMap((fault) => faultLines(console, fault, key))),
    ),
    ...section(console, 'Store', [
      `${clean(store.name)}${store.hasHealthChecker ? ', with an active health checker' : ''}`,
      ...store.faults.flatMap((fault) => faultLines(console, fault)),
    ]),
    ...section(console, 'Workers', silence === null ? workers.map(memoryLine) : [`not asked: ${clean(silence)}`]),
  ];
}

function verdictOf({ kind, status, code }: AnswerView): string {
  switch (kind) {
    case 'backend':
      return 'goes to';
    case 'paused':
      return 'waits:';
    case 'redirect':
    case 'refused':
      return `gets ${status}${code === null ? '' : ` ${code}`}:`;
  }
}

/** The lines about the prefix, the options, and their effect. */
function siteLines(console: Console, { path, prefix, options, asks, beside }: Explanation): readonly string[] {
  const lines: string[] = [];
  if (prefix !== null) {
    const passed = prefix.passed.length === 0 ? '' : `; ${prefix.passed.join(', ')} would, and names no backend`;
    const matched = prefix.matched === null ? 'no prefix matches' : `${prefix.matched} matches`;
    lines.push(clean(`${prefix.key}: ${matched}${passed}`));
  }
  lines.push(...new Table().lines(options.map(({ field, value, from }) => [field, shownText(value), from])));
  if (asks !== null && asks !== path) lines.push(clean(`the backend gets the path ${asks}`));
  return [...lines, ...beside.flatMap(({ key, faults }) => faults.flatMap((each) => faultLines(console, each, key)))];
}

function checkLine({ url, state, waits, passed, detail, secondsAgo, router }: CheckView): string {
  const waiting = waits ? '; it gets no traffic before its first good check' : '';
  if (passed === null) return clean(`${url} has not been checked yet${waiting}`);
  const said = `${passed ? 'passed' : 'failed'} ${(secondsAgo ?? 0).toFixed(1)} s ago, ${detail}, by ${router}`;
  return clean(`${url} is ${state}: ${said}${waiting}`);
}

function memoryLine({ pid, generation, knows, ageSeconds, key, backends, dead, onTrial }: MemoryView): string {
  const worker = `${pid} (generation ${generation})`;
  if (knows === 'nothing') return `${worker} remembers nothing of it`;
  const what = key === null ? 'that there is no frontend' : `${clean(key)}, ${counted(backends.length, 'backend')}`;
  const isDead = dead.filter((id) => !onTrial.includes(id));
  const marks = isDead.length === 0 ? '' : `, dead ${isDead.join(', ')}`;
  const trials = onTrial.length === 0 ? '' : `, on trial ${onTrial.join(', ')}`;
  const use = knows === 'fresh' ? 'and uses it' : 'for when the store does not reply';
  return `${worker} remembers ${what}${marks}${trials}, read ${(ageSeconds ?? 0).toFixed(1)} s ago, ${use}`;
}

function section(console: Console, title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', paint(console, 'bold', title), ...lines.map((line) => `  ${line}`)];
}

function keyLines(console: Console, keys: readonly KeyView[]): readonly string[] {
  const rows = new Table().lines(keys.map((each) => [each.verdict, each.key, holdingsOf(each)]));
  return keys.flatMap(({ faults }, i) => {
    return [rows[i] ?? '', ...faults.flatMap((fault) => faultLines(console, fault)).map((line) => `  ${line}`)];
  });
}

function holdingsOf({ type, holds }: KeyView): string {
  if (type === 'none') return '-';
  if (type === 'unknown') return '?';
  if (type !== 'list') return type;
  return `${JSON.stringify(holds[0] ?? '')}, ${counted(Math.max(0, holds.length - 1), 'backend')}`;
}

/** Empty when the store has no certificate: most sites have no TLS, or another program ends it. */
function certificateLines(console: Console, { text, keys }: CertificateView): readonly string[] {
  if (keys.every(({ verdict }) => verdict === 'absent')) return [];
  return [clean(text), ...keys.flatMap(({ key, faults }) => faults.flatMap((each) => faultLines(console, each, key)))];
}

function deadLines(console: Console, { key, type, holds, secondsLeft, faults }: DeadView): readonly string[] {
  if (type === 'none') return [];
  const time = secondsLeft === null ? 'without expiry' : `for ${Math.ceil(secondsLeft)} s more`;
  const ids = type === 'set' ? holds.slice(0, 20).join(', ') : `a ${type}`;
  return [`${clean(key)}: ${clean(ids)}, ${time}`, ...faults.flatMap((fault) => faultLines(console, fault))];
}
