/** The settings of a deploy as operators give them, on the command line and by the API. */
import type { DeployOptions } from './deploy-parts.ts';

/** Each null where it is not given. Times in seconds. */
export interface DeploySettings {
  readonly wait: number | null;
  readonly drain: number | null;
  /** A path. */
  readonly check: string | null;
  /** Percent. */
  readonly rollbackOn: number | null;
}

const WAIT_SECONDS = 60;
const DRAIN_SECONDS = 30;
/** An hour: longer drains are for operators to watch. */
const MAX_SECONDS = 3_600;

/** The options of a deploy; a text that says what is wrong. */
export function deployOptions(
  key: string,
  urls: readonly string[],
  { wait, drain, check, rollbackOn }: DeploySettings,
): DeployOptions | string {
  if (!isIn(wait, 1, MAX_SECONDS)) return `wait must be a number of seconds from 1 to ${MAX_SECONDS}`;
  if (!isIn(drain, 0, MAX_SECONDS)) return `drain must be a number of seconds from 0 to ${MAX_SECONDS}`;
  if (!isIn(rollbackOn, 0, 100)) return 'rollback-on must be a number of percent from 0 to 100';
  if (check !== null && !/^\/[!-~]{0,1999}$/.test(check)) return 'check must be a path that begins with a slash';
  if (new Set(urls.map((url) => url.trim())).size !== urls.length) return 'a backend is named twice';
  return {
    key,
    urls,
    waitMs: (wait ?? WAIT_SECONDS) * 1000,
    drainMs: (drain ?? DRAIN_SECONDS) * 1000,
    checkPath: check,
    maxErrors: rollbackOn === null ? null : rollbackOn / 100,
  };
}

function isIn(value: number | null, from: number, to: number): boolean {
  return value === null || (value >= from && value <= to);
}
