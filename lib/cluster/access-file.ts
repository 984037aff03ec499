import { chownSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { syslogSocket } from '../core/syslog-socket.ts';
import { requireLogger } from '../observe/logger-program.ts';
import type { RunAs } from '../config/config.ts';

/**
 * Makes the access log for the workers, who may not be allowed to: nginx's way, the master creates it and gives it away.
 * @throws Error with a sentence for the operator when it cannot be written
 */
export function prepareAccessLog(path: string | null, runAs: RunAs | null): void {
  if (path === null || path === '-') return;
  if (syslogSocket(path) !== null) return requireSyslog();
  try {
    const folder = dirname(path);
    const isNew = !existsSync(folder);
    // One folder at most: a longer path that is missing is more likely a slip of the pen.
    if (isNew) mkdirSync(folder);
    closeSync(openSync(path, 'a', 0o640));
    if (!runAs) return;
    if (isNew) chownSync(folder, runAs.uid, runAs.gid);
    // Devices such as /dev/null are nobody's to give away.
    if (!path.startsWith('/dev/')) chownSync(path, runAs.uid, runAs.gid);
  } catch (cause) {
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
