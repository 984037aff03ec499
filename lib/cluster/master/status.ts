import { type Changes, refusals } from '../../admin/changes.ts';

/** The maximum length of a status, characters. systemd drops messages above 4,096 bytes, and with them `READY=1`. */
const MAX_STATUS = 700;

/** The router's state in one line, for `systemctl status`: refused changes first. @param listening URLs */
export function statusOf(listening: readonly string[], changes: Changes): string {
  // Without the snapshot: its writing is retried every few seconds, and no status is sent when it succeeds.
  const refused = refusals({ ...changes, snapshot: null });
  return oneLine([...refused, `serving on ${listening.join(', ')}`].join('; '));
}

/** A line break would start another assignment of the message. */
function oneLine(text: string): string {
  const signs = Array.from(text.replaceAll(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' '));
  return signs.length <= MAX_STATUS ? signs.join('') : `${signs.slice(0, MAX_STATUS - 1).join('')}…`;
}
