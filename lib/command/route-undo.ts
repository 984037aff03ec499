import { editSet } from '../store/editor/edit-set.ts';
import { isAsLeft, withoutChange } from '../store/editor/past-sets.ts';
import { CommandFailure } from './command.ts';
import { clean } from './console.ts';
import { keyOf } from './route-key.ts';
import type { RouteRun } from './route-run.ts';
import { diffLines } from './set-diff.ts';

/**
 * Undoes the last logged change of a frontend, in one step. That is a change, too: to undo it again restores it.
 * @throws CommandFailure when the frontend was changed by other means since
 */
export async function undoRoute({ editor, console, words, isJson, isForced }: RouteRun): Promise<number> {
  const key = keyOf(words[0] ?? '', isForced, editor);
  const { entries } = await editor.log({ key, since: null, limit: 1 });
  const [entry] = entries;
  if (entry === undefined) throw new CommandFailure('no-history', `no change of ${key} is logged`);
  const { change, at, by } = entry;
  const when = new Date(at).toISOString();
  if (change === null) throw new CommandFailure('no-history', `the change of ${when} was too large to be logged`);
  const { before, after } = await editSet(
    editor,
    key,
    (set) => {
      if (!isAsLeft(set, change) && !isForced) {
        const advice = 'nothing was written (--force would)';
        throw new CommandFailure('changed', `${key} was changed by other means since ${when}; ${advice}`);
      }
      return withoutChange(set, change);
    },
    { isForced },
  );
  const store = editor.writeName;
  if (isJson) await console.write(`${JSON.stringify({ key, undone: { time: when, by }, store })}\n`);
  else {
    const lines = [...diffLines(key, before, after), `undone: the change of ${when} by ${by}, in ${store}`];
    await console.write(`${lines.map(clean).join('\n')}\n`);
  }
  return 0;
}
