/** Whether util-linux's logger is here. */
import { requireLogger } from '../../lib/observe/logger-program.ts';

function lack(): string | false {
  try {
    requireLogger();
    return false;
  } catch (cause) {
    return `no logger: ${String(cause)}`;
  }
}

/** Why tests that need it are skipped; false where it is there. */
export const noLogger = lack();
