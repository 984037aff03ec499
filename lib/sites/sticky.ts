/** `sticky`: a cookie leads a client back to its backend. */
import { isToken } from '../core/http/token.ts';
import type { StickyRule } from '../core/routing/choice.ts';
import { siteFeature } from './feature.ts';

interface Settings {
  readonly sticky: StickyRule | null;
}

const MAX_NAME = 100;
/** Browsers keep no cookie for longer: 400 days. */
const MAX_SECONDS = 34_560_000;

/** The feature `sticky`. */
export const sticky = siteFeature<Settings>({
  fields: { sticky: readSticky },
  defaults: { sticky: null },
  behaviour: (settings) => ({
    // The lane itself hands over what needs a new cookie.
    mayServeFast: () => true,
    balance: settings,
  }),
});

function readSticky(text: string): Settings | string {
  if (text === 'off') return { sticky: null };
  const [, name = '', digits] = /^(\S+)(?:\s+([0-9]{1,9}))?$/.exec(text) ?? [];
  if (!isToken(name) || name.length > MAX_NAME)
    return 'it must be the name of a cookie, optionally followed by seconds';
  const seconds = digits === undefined ? null : Number(digits);
  if (seconds !== null && (seconds === 0 || seconds > MAX_SECONDS)) return `the seconds are from 1 to ${MAX_SECONDS}`;
  return { sticky: { name, seconds } };
}
