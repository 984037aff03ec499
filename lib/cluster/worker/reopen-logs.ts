import type { Config } from '../../config/config.ts';
import { UnsafePathError } from '../../files/unsafe-path.ts';
import type { ExchangeRecorder } from '../../observe/exchange-recorder.ts';
import { describeCause, type Log } from '../../observe/log.ts';
import type { ToMaster } from '../messages.ts';

/** After a rotation: opens the access log again. A worker that cannot keeps the file that it has, and reports that. */
export function reopenLogs(
  recorder: ExchangeRecorder,
  runAs: Config['runAs'],
  say: (message: ToMaster) => void,
  log: Log,
): void {
  try {
    recorder.reopen();
  } catch (error) {
    if (runAs && !(error instanceof UnsafePathError)) {
      // In a folder that only root may enter, a worker that is still root can: the successor opens it when it starts.
      say({ type: 'leaving' });
      return;
    }
    const cause = describeCause(error);
    log.error({ event: 'log-failed', cause }, `the access log cannot be opened anew: ${cause}`);
    say({ type: 'log-kept', cause });
  }
}
