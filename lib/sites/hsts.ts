/** `hsts`: responses to HTTPS requests get Strict-Transport-Security (RFC 6797) instead of the backend's own. */
import { siteFeature } from './feature.ts';

interface Settings {
  /** The field's value; null for none. */
  readonly value: string | null;
}

/** The feature `hsts`. */
export const hsts = siteFeature<Settings>({
  fields: { hsts: readHsts },
  defaults: { value: null },
  behaviour: ({ value }) => ({
    mayServeFast: (_host, scheme) => scheme === 'http' || value === null,
    response: (fields, { scheme }) => {
      // RFC 6797 §7.2: not over unencrypted HTTP.
      if (value === null || scheme !== 'https') return fields;
      return [...withoutHsts(fields), 'Strict-Transport-Security', value];
    },
  }),
});

/** RFC 6797 §8.1: clients use the first of several fields, so the operator's must be the only one. */
function withoutHsts(fields: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    if (name.toLowerCase() !== 'strict-transport-security') kept.push(name, fields[i + 1] ?? '');
  }
  return kept;
}

function readHsts(text: string): Settings | string {
  const match = /^([0-9]{1,10})((?:[\s;]+(?:includeSubDomains|preload))*)$/i.exec(text);
  if (match === null) return 'it must be seconds, optionally followed by includeSubDomains and preload';
  const [, seconds = '', words = ''] = match;
  const directives = words.split(/[\s;]+/).filter((word) => word !== '');
  return { value: [`max-age=${seconds}`, ...directives].join('; ') };
}
