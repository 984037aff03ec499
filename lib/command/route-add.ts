import { CommandFailure } from './command.ts';
import { keyOf } from './route-key.ts';
import { checkNewList, type RouteRun, told } from './route-run.ts';
import { isSameBackend } from './same-backend.ts';
import { counted } from './show-fault.ts';

/** Adds backends to a frontend. Existing ones are unchanged. */
export async function addRoute(run: RouteRun): Promise<number> {
  const { editor, words, isForced, newName } = run;
  const [word = '', ...urls] = words;
  const key = keyOf(word, isForced, editor);
  // Existing backends are not checked.
  const faults = checkNewList(run, key, [newName ?? 'name', ...urls]);
  const { before, after } = await editor.change(
    key,
    (list) => {
      const [first] = list;
      if (first === undefined && newName === null) throw notThere(key);
      const start = first === undefined ? [newName ?? ''] : list;
      const added = urls.filter((url) => !start.slice(1).some((each) => isSameBackend(each, url)));
      return added.length === 0 && first !== undefined ? list : [...start, ...added];
    },
    { isForced },
  );
  const count = (after?.length ?? 0) - Math.max(1, before?.length ?? 0);
  const total = counted((after?.length ?? 1) - 1, 'backend');
  const done = before === null ? `created, ${total}` : `${count} added, ${total} now`;
  return await told(run, `${key}: ${count === 0 ? `all there already, ${total}` : done}`, faults, after, key);
}

function notThere(key: string): CommandFailure {
  return new CommandFailure(
    'no-frontend',
    `there is no frontend ${key}; --name NAME creates it, and so does "hipache route set ${key} NAME URL"`,
  );
}
