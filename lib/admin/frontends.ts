/** Reads and edits frontends. */
import { splitKey } from '../core/routing/prefixes.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import { storedFrontend } from '../store/editor/router-marks.ts';
import type { Surroundings } from '../diagnostics/explain.ts';
import type { FrontendView } from '../diagnostics/explanation.ts';
import { frontendOf } from '../diagnostics/frontend.ts';
import type { EditedAnswer, ExplainAnswer, FrontendAnswer, FrontendsAnswer, Seconds } from './answers.ts';
import { AllFrontends } from './all-frontends.ts';
import { activityOf } from './backend-activity.ts';
import { explainHere } from './explanations.ts';
import { FIELDS_BY_PATH, ownFields, patchFields } from './frontend-fields.ts';
import { type ConfiguredCertificate, LintWatch } from './lint-watch.ts';
import { withOwnMarks } from './marked-editor.ts';
import { type Asked, json, Refusal, type Reply, tagged } from './reply.ts';
import {
  addBackend,
  clearDead,
  isForced,
  meantBy,
  noFrontend,
  putList,
  removeBackend,
  removeFrontend,
} from './edits.ts';
import { NO_SET, tagOf } from '../store/editor/frontend-set.ts';
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
  'no-history': 404,
  'bad-cursor': 400,
};

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
  /** An edit of a list: the response is the frontend as it is then. */
  const listed = async (edit: typeof putList | typeof removeBackend, asked: Asked, host: string): Promise<Reply> => {
    const key = meantBy(host, editor);
    const isNew = await edit(asked, key, marked);
    const etag = await tagIn(marked, key, true);
    return json({ ...(await one(key, marked)), etag } satisfies EditedAnswer, isNew === true ? 201 : 200);
  };
  return {
    'GET /api/v1/frontends': told(({ query }) => list(query, marked, all)),
    'GET /api/v1/summary': ({ query }) => summary(query, { all, lint, totals }),
    'GET /api/v1/frontends/HOST': told(async (_asked, host) => {
      const etag = await tagIn(marked, host);
      const frontend = await one(host, marked);
      const activity = await activityOf(frontend.backends, editor.urls, workerQueries);
      const traffic = trafficOf(frontend.name, totals);
      return tagged(json({ ...frontend, etag, activity, traffic } satisfies FrontendAnswer), etag);
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
        [
          `GET /api/v1/frontends/HOST/${name}`,
          told(async (_asked, host) => {
            const key = meantBy(host, editor);
            const etag = await tagIn(marked, key);
            return tagged(await ownFields(hash, key, marked), etag);
          }),
        ],
        [
          `PATCH /api/v1/frontends/HOST/${name}`,
          told((asked, host) => edited(patchFields(asked, hash, meantBy(host, editor), isForced(asked.query), marked))),
        ],
      ]),
    ),
    'PUT /api/v1/frontends/HOST': told((asked, host) => edited(listed(putList, asked, host))),
    'DELETE /api/v1/frontends/HOST': told((asked, host) => edited(removeFrontend(asked, host, marked))),
    'POST /api/v1/frontends/HOST/backends': told((asked, host) => edited(listed(addBackend, asked, host))),
    'DELETE /api/v1/frontends/HOST/backends': told((asked, host) => edited(listed(removeBackend, asked, host))),
    'DELETE /api/v1/frontends/HOST/dead': told((asked, host) =>
      edited(clearDead(asked, meantBy(host, editor), marked)),
    ),
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

/**
 * The entity tag of a frontend; null for a Redis user that may not read all of it. To be read before what it is sent with:
 * an older tag only refuses an edit, a newer one would let it overwrite what the client has not seen.
 */
async function tagIn(editor: RouteEditor, key: string, isFresh = false): Promise<string | null> {
  try {
    const [set] = await editor.sets([key], { isFresh });
    return tagOf(set ?? NO_SET);
  } catch (error) {
    if (error instanceof EditorError && error.code === 'store-refused') return null;
    throw error;
  }
}

async function list(query: URLSearchParams, editor: RouteEditor, all: AllFrontends): Promise<Reply> {
  const limit = Number(query.get('limit') ?? PAGE);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw new Refusal(400, 'bad-limit', `limit must be a whole number from 1 to ${MAX_PAGE}`);
  const cursor = query.get('cursor');
  const match = query.get('match') ?? '';
  const { entries, next } = await editor.page({ cursor, limit, match });
  const advice = editor.advice;
  const isWhole = cursor === null && next === null;
  const total = isWhole ? entries.length : await totalOf(all, match);
  const answer: FrontendsAnswer = { frontends: entries.map((entry) => frontendOf(entry, advice)), next, total };
  return json(answer);
}

/** How many frontends have this text in their key; null where there are too many to count. */
async function totalOf(all: AllFrontends, match: string): Promise<number | null> {
  const { isComplete, frontends: read } = await all.read();
  return isComplete ? read.filter(({ key }) => key.includes(match)).length : null;
}

/** The last five minutes of an identifier. */
function trafficOf(name: string, totals: Totals): Seconds | null {
  return totals.frontends.find(name)?.series.read(SECONDS) ?? null;
}

async function one(key: string, editor: RouteEditor): Promise<FrontendView> {
  const stored = await storedFrontend(editor, key);
  if (stored === null) throw noFrontend(key);
  return frontendOf(stored, editor.advice);
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
