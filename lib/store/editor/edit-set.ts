import { setTimeout as delay } from 'node:timers/promises';
import { EditorError } from '../editor-error.ts';
import { MAX_LIST } from '../limits.ts';
import { checkList } from './edit-rules.ts';
import { type FrontendSet, isSameSet } from './frontend-set.ts';
import type { EditOptions, RouteEditor } from './route-editor.ts';

/** How often an edit is tried when others change the same frontend. */
const MAX_ATTEMPTS = 50;
/** The maximum random pause before the next attempt, ms. */
const MAX_PAUSE_MS = 10;

/** The result of an edit of a whole frontend. */
export interface SetEdit {
  readonly before: FrontendSet;
  readonly after: FrontendSet;
}

/**
 * Edits a frontend whole: what `edit` saw is what the result replaces, in one step (in a cluster: one step for each of
 * its keys). If others change it meanwhile, `edit` is called again.
 * @param edit what it throws ends the edit, and nothing is written
 * @throws EditorError
 */
export async function editSet(
  editor: Pick<RouteEditor, 'sets' | 'writeSets' | 'frontendName'>,
  key: string,
  edit: (before: FrontendSet) => FrontendSet,
  options: EditOptions = {},
): Promise<SetEdit> {
  const name = editor.frontendName(key);
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const [before] = await editor.sets([key], { isFresh: true });
    if (before === undefined) throw new EditorError('store-unavailable', 'the store sent too few replies');
    if ((before.list?.length ?? 0) > MAX_LIST) {
      throw new EditorError('bad-list', `${name} has more than ${MAX_LIST} elements, which cannot be compared`);
    }
    const after = edit(before);
    if (after.list !== null) checkList(after.list);
    if (isSameSet(before, after)) return { before, after };
    const [isWritten] = await editor.writeSets([{ key, before, after }], options);
    if (isWritten === true) return { before, after: { ...after, odd: [] } };
    await delay(Math.random() * MAX_PAUSE_MS);
  }
  throw new EditorError('busy', `other clients changed ${name} during each of ${MAX_ATTEMPTS} attempts`);
}
