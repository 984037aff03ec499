import { readFileSync } from 'node:fs';

/** File descriptors that a worker needs for other than connections: logs, Redis, Node itself. A generous estimate. */
const RESERVE = 50;

/** How many files this process may have open, connections included; Infinity where the system does not tell. */
export function openFileLimit(): number {
  try {
    // Node raises the soft limit to the hard one when it starts.
    const soft = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}

/** How many client connections the limit allows: each may need a second descriptor, for a backend. */
export function maxClientConnections(): number {
  return Math.max(1, Math.floor((openFileLimit() - RESERVE) / 2));
}
