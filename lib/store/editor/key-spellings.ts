/** Finds keys that were probably meant for a host but that no request looks up. Pure functions. */
import { candidates } from '../../core/routing/hostname.ts';
import { uLabelsOf } from './idn.ts';

/** The maximum number of labels for which wildcards are tried; names have four or five. */
const MAX_LABELS = 20;

/** Keys, without `frontend:`, that operators write by mistake for this host or its wildcards. */
export function spellingsOf(host: string): readonly string[] {
  const asked = new Set(candidates(host));
  const spellings = new Set<string>();
  const labels = host.split('.');
  for (let i = 0; i < Math.min(labels.length, MAX_LABELS); i++) {
    const rest = labels.slice(i).join('.');
    for (const each of [`.${rest}`, `*${rest}`, `*.${rest}`, `${rest}.`, ` ${rest}`, `${rest} `]) spellings.add(each);
    for (const each of [`*.${rest}.`, `*.${rest} `, ` *.${rest}`]) spellings.add(each);
    if (i > 0) spellings.add(`*.${rest}`.toUpperCase());
    spellings.add(`*.${uLabelsOf(rest)}`);
  }
  for (const each of [uLabelsOf(host), host.toUpperCase(), `http://${host}`, `https://${host}`, `${host}/`])
    spellings.add(each);
  for (const port of [80, 443, 8080]) spellings.add(`${host}:${port}`);
  return [...spellings].filter((each) => !asked.has(each));
}

/** Whether a key of any kind contains the host's name, in any case. */
export function holdsHost(key: string, host: string): boolean {
  return key.toLowerCase().includes(host);
}
