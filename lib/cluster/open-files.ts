import { readFileSync } from 'node:fs';

/** What a worker needs beside connections, generously: logs, Redis, what Node itself opens. */
const RESERVE = 50;

/** How many files this process may have open, connections included; Infinity where the system does not say. */
export function openFileLimit(): number {
  try {
    // Node has raised the soft limit to the hard one at its start.
    const soft = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}

/** How many clients' connections that is good for: each may take another one, to a backend. */
export function roomForClients(): number {
  return Math.max(1, Math.floor((openFileLimit() - RESERVE) / 2));
}
