/** Explains where a request goes, with what the running router's workers know. */
import { candidates, hostOf } from '../core/routing/hostname.ts';
import { aLabelsOf } from '../store/editor/idn.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import { explain, type Surroundings } from '../diagnostics/explain.ts';
import type {
  AnswerView,
  CertificateView,
  Explanation,
  LiveExplanation,
  MemoryView,
} from '../diagnostics/explanation.ts';
import { activityOf } from './backend-activity.ts';
import type { Remembered, ShownCertificate } from './questions.ts';
import type { WorkerQueries } from './workforce.ts';
import { EditorError } from '../store/editor-error.ts';

/** @throws EditorError when the store cannot be read and workers do not serve without it */
export async function explainHere(
  editor: RouteEditor,
  workerQueries: Pick<WorkerQueries, 'ask'>,
  { asked, path }: Pick<Explanation, 'asked' | 'path'>,
  surroundings: Surroundings,
): Promise<LiveExplanation> {
  const host = hostOf(aLabelsOf(asked));
  const [memories, shown] = await Promise.all([memoriesOf(workerQueries, host, path), shownBy(workerQueries, host)]);
  try {
    const explanation = await explain(editor, asked, path, surroundings);
    const backends = explanation.route?.backends;
    return {
      ...explanation,
      certificate: certificateOf(explanation.certificate, shown),
      workers: memories,
      activity: backends === undefined ? null : await activityOf(backends, editor.urls, workerQueries),
    };
  } catch (error) {
    // Workers have all of a routes file, even if it cannot be read now.
    if (!(error instanceof EditorError) || (error.code !== 'store-unavailable' && !editor.isInMemory)) throw error;
    const certificate = certificateOf({ text: '', keys: [] }, shown);
    return { ...withoutStore(editor, asked, path, memories, error), certificate, workers: memories, activity: null };
  }
}

async function memoriesOf(
  workerQueries: Pick<WorkerQueries, 'ask'>,
  host: string | null,
  path: string,
): Promise<readonly MemoryView[]> {
  if (host === null) return [];
  const { workers, answers } = await workerQueries.ask({ type: 'recollect', host, path });
  return workers.flatMap(({ pid, generation }) => {
    const answer = answers.get(pid);
    return answer?.type === 'recollect' ? [memoryOf(pid, generation, answer.remembered)] : [];
  });
}

/** The certificate that the newest worker uses for a host. */
async function shownBy(
  workerQueries: Pick<WorkerQueries, 'ask'>,
  host: string | null,
): Promise<ShownCertificate | null> {
  if (host === null) return null;
  const { workers, answers } = await workerQueries.ask({ type: 'certificate', host });
  for (const { pid } of workers.toSorted((a, b) => a.upSeconds - b.upSeconds)) {
    const answer = answers.get(pid);
    if (answer?.type === 'certificate') return answer.shown;
  }
  return null;
}

/** Workers may use the last valid certificate when the store has none, or does not reply. */
function certificateOf(view: CertificateView | null, shown: ShownCertificate | null): CertificateView | null {
  if (shown === null) return view?.keys.length === 0 ? null : view;
  if (view === null || shown.why === null) return view;
  const { name, names, expiresAt, why } = shown;
  const used = { key: name, verdict: 'used', names, expiresAt, faults: [] } as const;
  const at = view.keys.findIndex(({ key }) => key === name);
  const keys = view.keys.map((each, i) => {
    if (i === at) return { ...used, faults: each.faults };
    return i > at && each.verdict === 'used' ? ({ ...each, verdict: 'not reached' } as const) : each;
  });
  const whose = names.length === 0 ? 'no name' : names.join(', ');
  const text = `the last valid certificate of ${name}, for ${whose}, until ${expiresAt ?? 'an unreadable date'}: the current one ${why}`;
  return { text, keys: at < 0 ? [used, ...keys] : keys };
}

function memoryOf(pid: number, generation: number, remembered: Remembered | null): MemoryView {
  const route = remembered?.route ?? null;
  return {
    pid,
    generation,
    knows: remembered === null ? 'nothing' : remembered.isFresh ? 'fresh' : 'stale',
    ageSeconds: remembered === null ? null : remembered.ageMs / 1000,
    key: route?.key ?? null,
    name: route?.name ?? null,
    backends: route?.backends ?? [],
    dead: route?.dead ?? [],
    onTrial: route?.onTrial ?? [],
  };
}

/** The explanation while the store does not reply, or the routes file is invalid. */
function withoutStore(
  editor: RouteEditor,
  asked: string,
  path: string,
  memories: readonly MemoryView[],
  { message }: EditorError,
): Explanation {
  const host = hostOf(aLabelsOf(asked));
  const answer = answerFromMemory(memories, message, editor.isInMemory);
  const keys = host === null ? [] : candidates(host).map((key) => editor.frontendName(key));
  return {
    asked,
    host,
    path,
    answer,
    keys: keys.map((key) => {
      return { key, type: 'unknown', holds: [], secondsLeft: null, verdict: 'not read', faults: [] };
    }),
    route: null,
    prefix: null,
    checks: [],
    options: [],
    asks: null,
    beside: [],
    dead: null,
    certificate: null,
    near: [],
    store: { name: editor.name, hasHealthChecker: false, faults: [] },
  };
}

/** The response that a client gets while only workers have the route. */
function answerFromMemory(memories: readonly MemoryView[], message: string, isInMemory: boolean): AnswerView {
  const knowing = memories.filter(({ key }) => key !== null);
  const [first] = knowing;
  if (first === undefined) {
    if (isInMemory) {
      const text = `the workers' routes have no such frontend (${message})`;
      return { kind: 'refused', status: 400, code: 'no-frontend', text };
    }
    const text = `no worker remembers a route, and the store cannot be read (${message})`;
    return { kind: 'refused', status: 503, code: 'store-unavailable', text };
  }
  const { key, backends, dead } = first;
  const count = backends.length - dead.length;
  const whose = `${knowing.length} of ${memories.length} workers remember ${key} and use it`;
  const until = isInMemory ? 'until the file can be read' : 'for a while, see cache.maxStale';
  const text = `${count} living backend${count === 1 ? '' : 's'} of ${backends.length}: ${whose} ${until} (${message})`;
  return { kind: 'backend', status: null, code: null, text };
}
