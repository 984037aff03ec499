/** `state`: a site in maintenance refuses requests, and one that is paused holds them for up to `pauseMax`. */
import { RouterError } from '../core/errors.ts';
import type { Admission } from '../core/routing/site.ts';
import { wholeNumber } from './field-readers.ts';
import { siteFeature } from './feature.ts';

interface Settings {
  readonly state: 'live' | 'maintenance' | 'paused';
  /** The Retry-After of responses in maintenance, seconds. */
  readonly retryAfter: number;
  /** How long requests are held, seconds. */
  readonly pauseMax: number;
}

/** The feature `state`. */
export const state = siteFeature<Settings>({
  fields: {
    state: readState,
    retryAfter: wholeNumber(0, 31_536_000, (retryAfter) => ({ retryAfter })),
    pauseMax: wholeNumber(1, 3600, (pauseMax) => ({ pauseMax })),
  },
  defaults: { state: 'live', retryAfter: 60, pauseMax: 30 },
  behaviour: (settings) => ({
    mayServeFast: () => settings.state === 'live',
    admit: () => admissionIn(settings),
  }),
});

function admissionIn({ state: current, retryAfter, pauseMax }: Settings): Admission | null {
  switch (current) {
    case 'live':
      return null;
    case 'maintenance': {
      const fields = ['Retry-After', String(retryAfter)];
      return { type: 'refused', error: new RouterError('maintenance', 'the site is in maintenance', { fields }) };
    }
    case 'paused': {
      const text = `the site is paused: requests are held for at most ${pauseMax} s, and then get 503 paused`;
      return { type: 'held', maxSeconds: pauseMax, text };
    }
  }
}

function readState(text: string): Pick<Settings, 'state'> | string {
  if (text === 'live' || text === 'maintenance' || text === 'paused') return { state: text };
  return 'it is "live", "maintenance" or "paused"';
}
