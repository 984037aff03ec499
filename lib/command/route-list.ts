import { frontendOf } from '../diagnostics/frontend.ts';
import type { FrontendView } from '../diagnostics/explanation.ts';
import { Table } from './console.ts';
import type { RouteRun } from './route-run.ts';

/** How many frontends are read at a time. */
const PAGE = 200;

/** Prints all frontends page by page, so that memory does not grow with their number. */
export async function listRoutes({ editor, console, match, isJson }: RouteRun): Promise<number> {
  const advice = editor.advice;
  const table = new Table();
  let isFirst = true;
  for (let cursor: string | null = null; ;) {
    const { entries, next } = await editor.page({ cursor, limit: PAGE, match });
    const frontends = entries.map((entry) => frontendOf(entry, advice)).toSorted(byKey);
    if (isJson) {
      const texts = frontends.map((frontend) => JSON.stringify(frontend));
      if (texts.length > 0) await console.write(`${isFirst ? '{"frontends":[\n' : ',\n'}${texts.join(',\n')}`);
    } else {
      const rows = frontends.map(rowOf);
      if (rows.length > 0) await console.write(`${table.lines(isFirst ? [HEADING, ...rows] : rows).join('\n')}\n`);
    }
    if (frontends.length > 0) isFirst = false;
    if (next === null) break;
    cursor = next;
  }
  if (isJson) await console.write(`${isFirst ? '{"frontends":[' : '\n'}],"next":null}\n`);
  return 0;
}

const HEADING = ['HOST', 'NAME', 'BACKENDS', 'DEAD', 'FAULTS'];

function rowOf({ key, name, backends, faults }: FrontendView): readonly string[] {
  const dead = backends.filter(({ state }) => state === 'dead' || state === 'on-trial').length;
  const codes = new Set(faults.filter(({ severity }) => severity === 'error').map(({ code }) => code));
  return [key, name, String(backends.length), String(dead), [...codes].join(' ') || '-'];
}

function byKey(a: FrontendView, b: FrontendView): number {
  return a.key < b.key ? -1 : 1;
}
