import { closeSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { syslogSocket } from '../../core/record/syslog-socket.ts';
import { openLog } from '../../files/open-log.ts';
import { UnsafePathError } from '../../files/unsafe-path.ts';
import { requireLogger } from '../../observe/logger-program.ts';
import type { RunAs } from '../../config/config.ts';

/**
 * Makes the access log for the workers, who may not be allowed to: nginx's way, the master creates it and gives it away.
 * Its folder stays root's: a user who can write it could put a link in the file's place.
 * @throws Error with a sentence for the operator when it cannot be written
 */
export function prepareAccessLog(path: string | null, runAs: RunAs | null): void {
  if (path === null || path === '-') return;
  if (syslogSocket(path) !== null) return requireSyslog();
  try {
    const folder = dirname(path);
    // One folder at most: a longer path that is missing is more likely a slip of the pen.
    if (!existsSync(folder)) mkdirSync(folder);
    closeSync(openLog(path, runAs));
  } catch (cause) {
    if (cause instanceof UnsafePathError) throw new Error(`server.accessLog: ${path} ${cause.message}`, { cause });
    const choice = 'name a file that can be written, "-" for standard output, or "none"';
    throw new Error(`server.accessLog: ${choice}`, { cause });
  }
}

/** The socket itself is waited for; without the program nothing would ever come of that. */
function requireSyslog(): void {
  try {
    requireLogger();
  } catch (cause) {
    throw new Error('server.accessLog: syslog needs the program "logger" of util-linux', { cause });
  }
}
