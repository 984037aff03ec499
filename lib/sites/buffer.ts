/** `buffer`: slow clients do not hold backends. Bodies of requests are taken before a backend is asked, or those of responses at once. */
import type { BufferRule } from '../core/routing/site.ts';
import { siteFeature } from './feature.ts';

interface Settings {
  readonly buffer: BufferRule | null;
}

const FORM = /^(request|response|both)(?:\s+([0-9]{1,12}))?$/;
/** Of one body where the field does not say, bytes. */
const USUAL_BYTES = 67_108_864;

/** The feature `buffer`. */
export const buffer = siteFeature<Settings>({
  fields: { buffer: read },
  defaults: { buffer: null },
  behaviour: ({ buffer: rule }) => ({
    // Only the full lane has buffers.
    mayServeFast: (_host, _scheme, _target, hasBody) => rule === null || !(rule.response || hasBody),
    buffer: rule,
  }),
});

function read(text: string): Settings | string {
  if (text === 'off') return { buffer: null };
  const [, what, digits] = FORM.exec(text) ?? [];
  if (what === undefined) return 'it is "off", or like "request", "response", "both" or "both 10000000"';
  const bytes = Number(digits ?? USUAL_BYTES);
  if (bytes < 1) return 'the size is at least 1';
  return { buffer: Object.freeze({ request: what !== 'response', response: what !== 'request', bytes }) };
}
