import { UsageError } from './usage.ts';

const CLOCK = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/;

/**
 * A time of the past, ms since 1970: `14:05` or `14:05:30`, today or, if that is still to come, yesterday, in the local
 * time zone; or ISO 8601.
 * @param now ms since 1970
 * @throws UsageError
 */
export function momentOf(text: string, now: number): number {
  const [, hours, minutes, seconds = '0'] = CLOCK.exec(text) ?? [];
  if (hours !== undefined && minutes !== undefined) {
    const day = new Date(now);
    day.setHours(Number(hours), Number(minutes), Number(seconds), 0);
    if (day.getTime() > now) day.setDate(day.getDate() - 1);
    return day.getTime();
  }
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (at <= now) return at;
  throw new UsageError(`"${text}" is not a time of the past, such as 14:05 or 2026-11-30T14:05Z`);
}
