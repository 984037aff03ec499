import type { Config } from '../../config/config.ts';
import { UnsafePathError } from '../../files/unsafe-path.ts';
import type { ExchangeRecorder } from '../../observe/exchange-recorder.ts';
import { describeCause, type Log } from '../../observe/log.ts';
import type { ToMaster } from '../messages.ts';

/**
 * After a rotation: opens the access log again. On failure the worker keeps its old file and reports that to the
 * master.
 */
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
      // The folder may be open to root only. A successor is root when it starts, and can open the file.
      say({ type: 'leaving' });
      return;
    }
    const cause = describeCause(error);
    log.error({ event: 'log-failed', cause }, `cannot reopen the access log: ${cause}`);
    say({ type: 'log-kept', cause });
  }
}
