import type { BackendTls } from '../core/routing/backend-tls.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import type { Fleet } from '../store/fleet.ts';
import type { Surroundings } from '../diagnostics/explain.ts';
import type { Fault } from '../diagnostics/fault.ts';
import type { FrontendView } from '../diagnostics/explanation.ts';
import { faultsOfNewList, viewOf } from '../diagnostics/frontend.ts';
import type { AdminAddress } from './admin-client.ts';
import { CommandFailure } from './command.ts';
import { clean, type Console } from './console.ts';
import { faultLines } from './show-fault.ts';

/** How many kept keys are listed. */
const MAX_LEFT = 20;

/** The input of the commands under `route`. Each resolves to its exit code. */
export interface RouteRun {
  readonly editor: RouteEditor;
  /** The admin interface of the running router; null if the configuration has none. It may not be running. */
  readonly admin: AdminAddress | null;
  /** The settings of the configuration that matter to requests; empty without a configuration. */
  readonly surroundings: Omit<Surroundings, 'scheme'>;
  /** How the router verifies the certificates of backends. @throws ConfigError */
  readonly backendTls: () => BackendTls;
  readonly console: Console;
  /** The words after the command's name. */
  readonly words: readonly string[];
  readonly match: string;
  readonly newName: string | null;
  readonly isJson: boolean;
  readonly isForced: boolean;
  /** Whether `explain` sends a request to each backend. */
  readonly isProbing: boolean;
  /** See `OpenedStore`. */
  readonly openFleet: () => Fleet | null;
  /** The values of DEPLOY_OPTIONS. */
  readonly deployValues: ReadonlyMap<string, string>;
  /** The time that `explain` is about, ms since 1970; null for now. */
  readonly at: number | null;
}

/**
 * Refuses a list that would not work.
 * @returns notes about the list
 * @throws CommandFailure for faults, unless --force was given
 */
export function checkNewList({ editor, isForced }: RouteRun, key: string, list: readonly string[]): readonly Fault[] {
  const faults = faultsOfNewList(key, list, editor.advice);
  const errors = faults.filter(({ severity }) => severity === 'error');
  if (errors.length === 0 || isForced) return faults;
  const texts = errors.map(({ text }) => text).join('; ');
  throw new CommandFailure('bad-list', `${texts}; nothing was written (--force would)`);
}

/**
 * Prints what was done and in which store; with --json, the frontend's new state.
 * @param list null when it was removed
 * @param left keys that were kept
 */
export async function told(
  { editor, console, isJson }: RouteRun,
  text: string,
  faults: readonly Fault[],
  list: readonly string[] | null,
  key: string,
  left: readonly string[] = [],
): Promise<number> {
  if (isJson) {
    const gone = { key, removed: true, ...(left.length > 0 && { left }) };
    const store = editor.writeName;
    const shown = list === null ? gone : await viewNow(editor, key, list, faults);
    await console.write(`${JSON.stringify({ ...shown, store })}\n`);
    return 0;
  }
  const more = left.length > MAX_LEFT ? ` and ${left.length - MAX_LEFT} more` : '';
  const rest = left.length === 0 ? [] : [`left as they are: ${left.slice(0, MAX_LEFT).map(clean).join(', ')}${more}`];
  const lines = [`${text}, in ${editor.writeName}`, ...rest, ...faults.flatMap((fault) => faultLines(console, fault))];
  await console.write(`${lines.join('\n')}\n`);
  return 0;
}

/** Shows the list as it was written: a replica that is read may not have it yet. */
async function viewNow(
  editor: RouteEditor,
  key: string,
  holds: readonly string[],
  faults: readonly Fault[],
): Promise<FrontendView> {
  const { dead, marks, deaths } = await editor.look([key], key);
  const list = { key, type: 'list', holds, length: holds.length, secondsLeft: null };
  return viewOf({ key, list, dead, marks, deaths }, faults);
}
