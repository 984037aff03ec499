/** `bandwidth` and `bandwidthSite`: how many bytes a second a response gets, and all responses of a site together. */
import { LEAST_BANDWIDTH, type BandwidthRule, TRAFFIC_FIELD } from '../core/routing/site.ts';
import { siteFeature } from './feature.ts';

type Settings = BandwidthRule;

const FORM = /^(?:([0-9]{1,10})(\s+x-traffic)?|x-traffic)$/i;
const NUMBER = /^[0-9]{1,10}$/;
const TOO_SMALL = `it is at least ${LEAST_BANDWIDTH} bytes per second`;

/** The features `bandwidth` and `bandwidthSite`. Only the full lane can slow responses down. */
export const bandwidth = siteFeature<Settings>({
  fields: { bandwidth: readBandwidth, bandwidthSite: readSite },
  defaults: { perResponse: 0, byField: false, perSite: 0 },
  behaviour: (rule) => {
    if (rule.perResponse === 0 && rule.perSite === 0 && !rule.byField) return { mayServeFast: () => true };
    const bandwidthRule = { bandwidth: Object.freeze({ ...rule }) };
    return rule.byField ? { ...bandwidthRule, response: withoutTraffic } : bandwidthRule;
  },
});

function readBandwidth(text: string): Pick<Settings, 'perResponse' | 'byField'> | string {
  if (text === 'off') return { perResponse: 0, byField: false };
  const parts = FORM.exec(text);
  if (parts === null) return 'it is "off", or like "64000", "x-traffic" or "64000 x-traffic"';
  const [, digits, field] = parts;
  if (digits === undefined) return { perResponse: 0, byField: true };
  const perResponse = Number(digits);
  return perResponse < LEAST_BANDWIDTH ? TOO_SMALL : { perResponse, byField: field !== undefined };
}

function readSite(text: string): Pick<Settings, 'perSite'> | string {
  if (text === 'off') return { perSite: 0 };
  if (!NUMBER.test(text)) return 'it is "off", or bytes per second, like "1000000"';
  return Number(text) < LEAST_BANDWIDTH ? TOO_SMALL : { perSite: Number(text) };
}

/** The field is for the router, as in h2o. */
function withoutTraffic(fields: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    if (name.toLowerCase() !== TRAFFIC_FIELD) kept.push(name, fields[i + 1] ?? '');
  }
  return kept;
}
