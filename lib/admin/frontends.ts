/** Reads and edits frontends. */
import { splitKey } from '../core/routing/prefixes.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import { storedFrontend } from '../store/editor/router-marks.ts';
import { isTexts } from '../store/texts.ts';
import type { Surroundings } from '../diagnostics/explain.ts';
import type { FrontendView } from '../diagnostics/explanation.ts';
import type { Fault, FaultCode } from '../diagnostics/fault.ts';
import { faultsOfNewList, frontendOf } from '../diagnostics/frontend.ts';
import { readKey } from '../diagnostics/key-faults.ts';
import type { ExplainAnswer, FrontendAnswer, FrontendsAnswer, Seconds } from './answers.ts';
import { AllFrontends } from './all-frontends.ts';
import { activityOf } from './backend-activity.ts';
import { explainHere } from './explanations.ts';
import { FIELDS_BY_PATH, ownFields, patchFields } from './frontend-fields.ts';
import { type ConfiguredCertificate, LintWatch } from './lint-watch.ts';
import { withOwnMarks } from './marked-editor.ts';
import { type Asked, json, nothing, Refusal, type Reply } from './reply.ts';
import type { Answerer, Requests } from './requests.ts';
import type { WorkerQueries } from './workforce.ts';
import { SECONDS } from './series.ts';
import { summary } from './summary.ts';
import type { Totals } from './totals.ts';
import { EditorError, type EditorErrorCode } from '../store/editor-error.ts';

const PAGE = 100;
const MAX_PAGE = 1_000;

const STATUS: Readonly<Record<EditorErrorCode, number>> = {
  'store-unavailable': 503,
  'store-refused': 502,
  'wrong-type': 409,
  'bad-list': 400,
  busy: 409,
  'broken-file': 409,
  'bad-cursor': 400,
};

/** Faults that are always refused: no operator can intend them. */
const REFUSED: ReadonlySet<FaultCode> = new Set([
  'too-long',
  'no-identifier',
  'identifier-last',
  'no-scheme',
  'bad-scheme',
  'bad-url',
  'two-urls',
]);
/** Errors in a host name that are corrected silently; clients make them, too. */
const FORGIVEN: ReadonlySet<FaultCode> = new Set(['upper-case', 'trailing-dot', 'space-in-key', 'idn-key']);

/**
 * @param editor returns the editor of the running configuration
 * @param totals the traffic of frontends
 * @param configured the certificates of the configuration
 * @param surroundings returns the settings of that configuration that matter to requests
 */
export function frontends(
  editor: RouteEditor,
  workerQueries: WorkerQueries,
  totals: Totals,
  configured: readonly ConfiguredCertificate[],
  surroundings: Omit<Surroundings, 'scheme'>,
): Requests {
  const marks = async (host: string | null) => {
    const { answers } = await workerQueries.ask({ type: 'marks', host });
    return [...answers.values()].flatMap((answer) => (answer.type === 'marks' ? answer.marks : []));
  };
  const marked = withOwnMarks(editor, marks);
  const all = new AllFrontends(marked);
  const lint = new LintWatch(editor, configured);
  /** An edit that may have been made. */
  const edited = async (reply: Promise<Reply>): Promise<Reply> => {
    try {
      return await reply;
    } finally {
      all.forget();
    }
  };
  return {
    'GET /api/v1/frontends': told(({ query }) => list(query, marked)),
    'GET /api/v1/summary': ({ query }) => summary(query, { all, lint, totals }),
    'GET /api/v1/frontends/HOST': told(async (_asked, host) => {
      const frontend = await one(host, marked);
      const activity = await activityOf(frontend.backends, editor.urls, workerQueries);
      return json({ ...frontend, activity, traffic: trafficOf(frontend.name, totals) } satisfies FrontendAnswer);
    }),
    'GET /api/v1/frontends/HOST/explain': told(async ({ query }, host) => {
      const scheme = schemeOf(query);
      const explained = await explainHere(marked, workerQueries, askingOf(host, query), { ...surroundings, scheme });
      const { route } = explained;
      const traffic = route === null ? null : trafficOf(route.name, totals);
      return json({ ...explained, traffic } satisfies ExplainAnswer);
    }),
    ...Object.fromEntries(
      Object.entries(FIELDS_BY_PATH).flatMap(([name, hash]) => [
        [`GET /api/v1/frontends/HOST/${name}`, told((_asked, host) => ownFields(hash, meantBy(host, editor), marked))],
        [
          `PATCH /api/v1/frontends/HOST/${name}`,
          told((asked, host) => patchFields(asked, hash, meantBy(host, editor), isForced(asked.query), marked)),
        ],
      ]),
    ),
    'PUT /api/v1/frontends/HOST': told((asked, host) => edited(put(asked, host, marked))),
    'DELETE /api/v1/frontends/HOST': told((asked, host) => edited(remove(asked, host, marked))),
  };
}

/** Converts errors of the store to responses of the admin API. */
export function told(answer: Answerer): Answerer {
  return async (asked, host) => {
    try {
      return await answer(asked, host);
    } catch (error) {
      if (error instanceof EditorError) throw new Refusal(STATUS[error.code], error.code, error.message);
      throw error;
    }
  };
}

async function list(query: URLSearchParams, editor: RouteEditor): Promise<Reply> {
  const limit = Number(query.get('limit') ?? PAGE);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw new Refusal(400, 'bad-limit', `limit must be a whole number from 1 to ${MAX_PAGE}`);
  const { entries, next } = await editor.page({ cursor: query.get('cursor'), limit, match: query.get('match') ?? '' });
  const advice = editor.advice;
  const answer: FrontendsAnswer = { frontends: entries.map((entry) => frontendOf(entry, advice)), next };
  return json(answer);
}

/** The last five minutes of an identifier. */
function trafficOf(name: string, totals: Totals): Seconds | null {
  return totals.frontends.find(name)?.series.read(SECONDS) ?? null;
}

async function one(key: string, editor: RouteEditor): Promise<FrontendView> {
  const stored = await storedFrontend(editor, key);
  if (stored === null) throw new Refusal(404, 'no-frontend', `there is no frontend ${JSON.stringify(key)}`);
  return frontendOf(stored, editor.advice);
}

async function put({ body, query }: Asked, host: string, editor: RouteEditor): Promise<Reply> {
  const advice = editor.advice;
  const meant = meantBy(host, editor);
  const elements = listOf(await body());
  throwIfAny(faultsOfNewList(meant, elements, advice).filter(({ code }) => REFUSED.has(code)));
  const { before } = await editor.replace(meant, elements, { isForced: isForced(query) });
  return json(await one(meant, editor), before === null ? 201 : 200);
}

/** The key to write. @throws Refusal when no request could match it */
export function meantBy(host: string, editor: RouteEditor): string {
  const { meant, faults } = readKey(host, editor.advice);
  if (meant === null || faults.some(({ code }) => !FORGIVEN.has(code))) throw faulty(faults);
  return meant;
}

/** For a frontend with a path: a request for that path. */
function askingOf(host: string, query: URLSearchParams): { readonly asked: string; readonly path: string } {
  const { host: asked, prefix } = splitKey(host);
  return { asked, path: query.get('path') ?? (prefix === '' ? '/' : prefix) };
}

function schemeOf(query: URLSearchParams): 'http' | 'https' {
  const scheme = query.get('scheme') ?? 'http';
  if (scheme === 'http' || scheme === 'https') return scheme;
  throw new Refusal(400, 'bad-scheme', 'scheme must be http or https');
}

/** @param host the key as it is, or as a host: keys that no request can match must be removable */
async function remove({ query }: Asked, host: string, editor: RouteEditor): Promise<Reply> {
  const { meant } = readKey(host, editor.advice);
  for (const key of new Set([host, meant ?? host])) {
    const { before } = await editor.remove(key, { isForced: isForced(query) });
    if (before !== null) return nothing();
  }
  throw new Refusal(404, 'no-frontend', `there is no frontend ${JSON.stringify(host)}`);
}

/** Whether the request asks to write despite faults: `?force`. */
export function isForced(query: URLSearchParams): boolean {
  return ['', '1', 'true'].includes(query.get('force') ?? 'no');
}

/** The body: `{ name, backends }`, or the list as in Redis. */
function listOf(body: unknown): readonly string[] {
  if (isTexts(body)) return body;
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    const { name, backends, ...more } = body as Readonly<Record<string, unknown>>;
    const [stranger] = Object.keys(more);
    if (stranger !== undefined) throw new Refusal(400, 'bad-list', `unknown key ${JSON.stringify(stranger)}`);
    if (typeof name === 'string' && isTexts(backends)) return [name, ...backends];
  }
  const example = '{"name": "mywebsite", "backends": ["http://10.0.0.1:80"]}';
  throw new Refusal(400, 'bad-list', `send ${example}, or the list as Redis holds it`);
}

function throwIfAny(faults: readonly Fault[]): void {
  if (faults.length > 0) throw faulty(faults);
}

function faulty(faults: readonly Fault[]): Refusal {
  return new Refusal(400, faults[0]?.code ?? 'bad-list', faults.map(({ text }) => text).join('; '));
}
