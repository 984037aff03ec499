/** `eject`: a backend that fails far more often than the others of its site is rested. core/health/outlier.ts has the rules. */
import type { EjectRule } from '../core/routing/site.ts';
import { siteFeature } from './feature.ts';

const FORM = /^(5xx|gateway):([0-9]{1,3})%\s+([0-9]{1,3})s(?:\s+min:([0-9]{1,6}))?$/;
const MOST_SECONDS = 600;
/** Requests of a window below which nothing is concluded, where the field does not say. */
const USUAL_LEAST = 10;

interface Eject {
  readonly eject: EjectRule | null;
}

/** The feature `eject`. */
export const eject = siteFeature<Eject>({
  fields: { eject: read },
  defaults: { eject: null },
  behaviour: (settings) => ({ ...settings, mayServeFast: () => true }),
});

function read(text: string): Eject | string {
  if (text === 'off') return { eject: null };
  const [, kind, percent, seconds, least = USUAL_LEAST] = FORM.exec(text) ?? [];
  if (kind !== '5xx' && kind !== 'gateway') {
    return 'it is "off", or like "5xx:50% 10s" or "gateway:50% 10s min:20"';
  }
  const share = Number(percent) / 100;
  if (share <= 0 || share > 1) return 'the share is from 1% to 100%';
  const windowMs = Number(seconds) * 1000;
  if (windowMs <= 0 || windowMs > MOST_SECONDS * 1000) return `the window is from 1s to ${MOST_SECONDS}s`;
  if (Number(least) < 1) return 'the minimum number of requests is at least 1';
  return { eject: Object.freeze({ kind, share, windowMs, least: Number(least) }) };
}
