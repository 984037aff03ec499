/** Which keys may have been meant for a host that never asks for them. Pure. */
import { candidates } from '../../core/routing/hostname.ts';
import { uLabelsOf } from './idn.ts';

/** Labels of a name from which wildcards are thought of; names have four or five. */
const MAX_LABELS = 20;

/** Frontends' keys, without `frontend:`, that operators write for this host or its wildcards, and that no request asks for. */
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

/** Whether a key of any kind holds the host's name, in whatever case. */
export function holdsHost(key: string, host: string): boolean {
  return key.toLowerCase().includes(host);
}
