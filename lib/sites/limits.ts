/** `timeouts.*` and `limits.*`: a site's own limits, named as those of the configuration, which they cannot exceed. */
import type { SiteLimits } from '../core/site-limits.ts';
import type { FieldReader } from './feature.ts';
import { wholeNumber } from './field-readers.ts';
import { siteFeature } from './feature.ts';

/** As in the configuration. */
const MOST_SECONDS = 2_147_483;
const MOST_BYTES = 999_999_999;

/** The features `timeouts.*` and `limits.*`. */
export const limits = siteFeature<SiteLimits>({
  fields: {
    'timeouts.connect': seconds((connectMs) => ({ connectMs })),
    'timeouts.firstByte': seconds((firstByteMs) => ({ firstByteMs })),
    'timeouts.response': seconds((responseMs) => ({ responseMs })),
    'timeouts.body': seconds((bodyMs) => ({ bodyMs })),
    'timeouts.tunnel': seconds((tunnelMs) => ({ tunnelMs })),
    'limits.bodyBytes': wholeNumber(0, MOST_BYTES, (bodyBytes) => ({ bodyBytes })),
    'limits.headerBytes': wholeNumber(0, MOST_BYTES, (headerBytes) => ({ headerBytes })),
  },
  defaults: { connectMs: 0, firstByteMs: 0, responseMs: 0, bodyMs: 0, tunnelMs: 0, bodyBytes: 0, headerBytes: 0 },
  behaviour: (settings) => ({
    // The lane has the same limits.
    mayServeFast: () => true,
    limits: Object.freeze(settings),
  }),
});

/** Seconds, with decimals. */
function seconds(made: (ms: number) => Partial<SiteLimits>): FieldReader<SiteLimits> {
  return (text) => {
    const value = /^[0-9]{1,7}(?:\.[0-9]{1,3})?$/.test(text) ? Number(text) : -1;
    if (value < 0 || value > MOST_SECONDS) return `it must be a number of seconds from 0 to ${MOST_SECONDS}`;
    return made(Math.round(value * 1000));
  };
}
