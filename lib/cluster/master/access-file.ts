import { closeSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { syslogSocket } from '../../core/record/syslog-socket.ts';
import { openLog } from '../../files/open-log.ts';
import { UnsafePathError } from '../../files/unsafe-path.ts';
import { requireLogger } from '../../observe/logger-program.ts';
import type { RunAs } from '../../config/config.ts';

/**
 * Creates the access log for the workers, which may lack the permission, and gives it to their user, as nginx does. The
 * folder stays root's: a user who could write to it could replace the file with a link.
 * @throws Error with a sentence for the operator when it cannot be written
 */
export function prepareAccessLog(path: string | null, runAs: RunAs | null): void {
  if (path === null || path === '-') return;
  if (syslogSocket(path) !== null) return requireSyslog();
  try {
    const folder = dirname(path);
    // One folder at most: if more is missing, the path is probably mistyped.
    if (!existsSync(folder)) mkdirSync(folder);
    closeSync(openLog(path, runAs));
  } catch (cause) {
    if (cause instanceof UnsafePathError) throw new Error(`server.accessLog: ${path} ${cause.message}`, { cause });
    const choice = 'name a file that can be written, "-" for standard output, or "none"';
    throw new Error(`server.accessLog: ${choice}`, { cause });
  }
}

/** The socket may come later; without the logger program no line would ever be sent. */
function requireSyslog(): void {
  try {
    requireLogger();
  } catch (cause) {
    throw new Error('server.accessLog: syslog needs the program "logger" of util-linux', { cause });
  }
}
