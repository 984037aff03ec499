import { type Changes, refusals } from '../../admin/changes.ts';

/** Characters of a status: systemd drops a message of more than 4,096 bytes, and `READY=1` would be lost with it. */
const MAX_STATUS = 700;

/** The router's state in one line, for `systemctl status`: refused changes first. @param listening URLs */
export function statusOf(listening: readonly string[], changes: Changes): string {
  // The snapshot is tried again every few seconds, and nothing is sent when it is written.
  const refused = refusals({ ...changes, snapshot: null });
  return oneLine([...refused, `serving on ${listening.join(', ')}`].join('; '));
}

/** A line break would begin another assignment of the message. */
function oneLine(text: string): string {
  const signs = Array.from(text.replaceAll(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' '));
  return signs.length <= MAX_STATUS ? signs.join('') : `${signs.slice(0, MAX_STATUS - 1).join('')}…`;
}
