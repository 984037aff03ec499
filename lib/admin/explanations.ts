/** Why a request goes where it goes, as the running router knows it. */
import { candidates, hostOf } from '../core/hostname.ts';
import { BookError, type RouteBook } from '../store/book.ts';
import { explain, type Surroundings } from '../vhosts/explain.ts';
import type { AnswerView, Explanation, LiveExplanation, MemoryView } from '../vhosts/explanation.ts';
import type { Remembered } from './questions.ts';
import type { Workforce } from './workforce.ts';

/** @throws BookError when the store cannot be looked at, for another reason than its silence */
export async function explainHere(
  book: RouteBook,
  workforce: Workforce,
  { asked, path }: Pick<Explanation, 'asked' | 'path'>,
  surroundings: Surroundings,
): Promise<LiveExplanation> {
  const memories = await memoriesOf(workforce, hostOf(asked), path);
  try {
    return { ...(await explain(book, asked, path, surroundings)), workers: memories };
  } catch (error) {
    if (!(error instanceof BookError) || error.code !== 'store-unavailable') throw error;
    return { ...withoutStore(book, asked, path, memories, error), workers: memories };
  }
}

async function memoriesOf(workforce: Workforce, host: string | null, path: string): Promise<readonly MemoryView[]> {
  if (host === null) return [];
  const { workers, answers } = await workforce.ask({ type: 'recollect', host, path });
  return workers.flatMap(({ pid, generation }) => {
    const answer = answers.get(pid);
    return answer?.type === 'recollect' ? [memoryOf(pid, generation, answer.remembered)] : [];
  });
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
  };
}

/** All that can be said while the store gives no answer. */
function withoutStore(
  { name }: RouteBook,
  asked: string,
  path: string,
  memories: readonly MemoryView[],
  { message }: BookError,
): Explanation {
  const host = hostOf(asked);
  const knowing = memories.filter(({ key }) => key !== null);
  const answer: AnswerView =
    knowing.length > 0
      ? {
          kind: 'backend',
          status: null,
          code: null,
          text: `${message}; ${knowing.length} of ${memories.length} workers know the route, and serve by it for a while`,
        }
      : { kind: 'refused', status: 503, code: 'store-unavailable', text: `${message}; no worker knows the route` };
  const keys = host === null ? [] : candidates(host);
  return {
    asked,
    host,
    path,
    answer,
    keys: keys.map((key) => {
      return { key, type: 'unknown', holds: [], secondsLeft: null, verdict: 'unusable', faults: [] };
    }),
    route: null,
    prefix: null,
    options: [],
    asks: null,
    beside: [],
    dead: null,
    certificate: null,
    near: [],
    store: { name, hasHealthChecker: false, faults: [] },
  };
}
