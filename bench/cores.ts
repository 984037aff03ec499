/** Which processor cores serve what: the load makers on one, the system under test alone on the rest that it needs. */
import { readFileSync } from 'node:fs';

/** Core numbers as `taskset -c` takes them. */
export interface Cores {
  /** wrk, the backend and Redis. */
  readonly load: readonly number[];
  /** The system under test. */
  readonly subject: readonly number[];
}

/** Reads a list of cores as the kernel writes it: `0-2,5`. What is no list gives no cores. */
export function parseCores(text: string): readonly number[] {
  return text.split(',').flatMap((part) => {
    const match = /^\s*([0-9]+)(?:-([0-9]+))?\s*$/.exec(part);
    if (match === null) return [];
    const first = Number(match[1]);
    const last = Number(match[2] ?? first);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  });
}

/** The cores that this process may run on. */
export function allowedCores(): readonly number[] {
  const status = readFileSync('/proc/self/status', 'latin1');
  return parseCores(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? '');
}

/**
 * The first core makes the load. A system with several workers gets a core for each where there are enough; otherwise
 * its workers share, so that the load never runs beside them. With one core in all, everything shares it.
 */
export function layOut(allowed: readonly number[], workers: number): Cores {
  const [first = 0, ...rest] = allowed;
  if (rest.length === 0) return { load: [first], subject: [first] };
  return { load: [first], subject: rest.slice(0, Math.max(1, workers)) };
}

/** How the cores are used, in words for the report. */
export function inWords({ load, subject }: Cores, workers: number): string {
  const shared = workers > subject.length ? `, which its ${workers} workers share` : '';
  const where = `core${subject.length > 1 ? 's' : ''} ${subject.join(', ')}`;
  return `load, backend and Redis on core ${load.join(', ')}; the system under test on ${where}${shared}`;
}
