import type { BackendView, FrontendView } from '../diagnostics/explanation.ts';
import { frontendOf } from '../diagnostics/frontend.ts';
import { storedFrontend } from '../store/editor/router-marks.ts';
import { CommandFailure } from './command.ts';
import { clean, type Console, paint, Table } from './console.ts';
import { keyOf } from './route-key.ts';
import type { RouteRun } from './route-run.ts';
import { faultLines } from './show-fault.ts';

/** Prints one frontend. @throws CommandFailure when it does not exist */
export async function showRoute({ editor, console, words, isJson, isForced }: RouteRun): Promise<number> {
  const key = keyOf(words[0] ?? '', isForced, editor);
  const stored = await storedFrontend(editor, key);
  if (stored === null) {
    throw new CommandFailure('no-frontend', `there is no frontend ${key}; "hipache route explain ${key}" tells more`);
  }
  const frontend = frontendOf(stored, editor.advice);
  await console.write(isJson ? `${JSON.stringify(frontend)}\n` : `${frontendLines(console, frontend).join('\n')}\n`);
  return 0;
}

/** The lines of a frontend, for people. */
export function frontendLines(console: Console, { key, name, backends, faults }: FrontendView): readonly string[] {
  return [
    `${paint(console, 'bold', clean(key))}  ${clean(JSON.stringify(name))}`,
    ...new Table().lines(backends.map((each) => [`  ${each.id}`, each.url, stateOf(each)])),
    ...faults.flatMap((fault) => faultLines(console, fault)),
  ];
}

/** `alive` is about marks alone: a backend that has just failed may not be marked. */
function stateOf({ state, secondsLeft, markedBy, trialInSeconds, fault }: BackendView): string {
  if (state === 'unusable') return `unusable: ${fault}`;
  if (state === 'alive') return 'not marked dead';
  if (state === 'on-trial') return 'on trial: it was dead, and gets one request';
  const left = secondsLeft === null ? 'dead, without expiry' : `dead for ${Math.ceil(secondsLeft)} s more`;
  if (trialInSeconds !== null) return `${left}, then on trial`;
  return markedBy === 'other' ? `${left}, by a checker, an operator or an older router` : left;
}
