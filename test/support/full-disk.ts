/** The device on which every write fails with ENOSPC. */
import { statSync } from 'node:fs';

/** Why tests that want `/dev/full` cannot run here, for `skip`; false when they can. */
export const noFullDisk: string | false = whyNot();

function whyNot(): string | false {
  try {
    return statSync('/dev/full').isCharacterDevice() ? false : '/dev/full is no device';
  } catch {
    return 'there is no /dev/full';
  }
}
