/** `rate` and `rateBy`: how many requests a site takes, and of what each has a limit of its own. */
import type { RateRule } from '../core/routing/site.ts';
import { siteFeature } from './feature.ts';
import { readTrait } from './field-readers.ts';

interface Settings {
  readonly rate: Pick<RateRule, 'requests' | 'seconds' | 'burst'> | null;
  readonly by: RateRule['by'];
}

const FORM = /^([0-9]{1,7})(?:\/(s|m|h))?(?:\s+([0-9]{1,7}))?$/;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** The features `rate` and `rateBy`. */
export const rate = siteFeature<Settings>({
  fields: { rate: readRate, rateBy: readBy },
  defaults: { rate: null, by: 'client' },
  behaviour: ({ rate: limit, by }) => ({
    // The lane asks the same limits.
    mayServeFast: () => true,
    rate: limit && Object.freeze({ ...limit, by }),
  }),
});

function readRate(text: string): Pick<Settings, 'rate'> | string {
  if (text === 'off') return { rate: null };
  const [, digits, unit = 's', burst] = FORM.exec(text) ?? [];
  if (digits === undefined) return 'it is "off", or like "10", "10 50", "600/m" or "100/h 10"';
  const requests = Number(digits);
  if (requests < 1 || Number(burst ?? 1) < 1) return 'its numbers are at least 1';
  const seconds = SECONDS[unit] ?? 1;
  return { rate: { requests, seconds, burst: Number(burst ?? Math.ceil(requests / seconds)) } };
}

function readBy(text: string): Pick<Settings, 'by'> | string {
  const lower = text.toLowerCase();
  if (lower === 'client' || lower === 'host') return { by: lower };
  const by = readTrait(text);
  if (by === null) return 'it must be client, host, header:NAME or cookie:NAME';
  return typeof by === 'string' ? by : { by };
}
