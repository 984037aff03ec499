import { keyOf } from './route-key.ts';
import { checkNewList, type RouteRun, told } from './route-run.ts';
import { counted } from './show-fault.ts';

/** Creates a frontend, or replaces its list in one step. */
export async function setRoute(run: RouteRun): Promise<number> {
  const { editor, words, isForced } = run;
  const [word = '', ...list] = words;
  const key = keyOf(word, isForced, editor);
  const faults = checkNewList(run, key, list);
  const { before } = await editor.replace(key, list, { isForced });
  const done = before === null ? 'created' : 'replaced';
  return await told(run, `${key}: ${done}, ${counted(list.length - 1, 'backend')}`, faults, list, key);
}
