import type { Limits } from './config.ts';
import type { Timeouts } from './timeouts.ts';

/** The limits that no site's own may exceed, by the names of both: seconds, and bytes. 0 is no limit. */
export function siteCaps(
  timeouts: Timeouts,
  { bodyBytes, headerBytes }: Pick<Limits, 'bodyBytes' | 'headerBytes'>,
): ReadonlyMap<string, number> {
  const times = Object.entries(timeouts).map(([name, value]): [string, number] => [`timeouts.${name}`, Number(value)]);
  return new Map([...times, ['limits.bodyBytes', bodyBytes], ['limits.headerBytes', headerBytes]]);
}
