/** What Linux's /proc says of processes and cores, read from its text. Pure. */

/** A line of /proc/PID/stat (proc_pid_stat(5)). */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** User and system time of the process and of the children that it has waited for, in clock ticks. */
  readonly ticks: number;
  /** Resident memory, pages. */
  readonly residentPages: number;
}

/** Null when it is no such line: the process has ended. */
export function parseProcessStat(text: string): ProcessStat | null {
  // The name, in brackets, may hold anything, brackets and blanks too.
  const end = text.lastIndexOf(')');
  if (end < 0) return null;
  const fields = text.slice(end + 2).split(' ');
  // Fields are numbered from 1 in the manual; the state, here the first, is number 3.
  const field = (number: number): number => Number(fields[number - 3]);
  const stat = {
    pid: Number.parseInt(text, 10),
    parent: field(4),
    ticks: field(14) + field(15) + field(16) + field(17),
    residentPages: field(24),
  };
  return Object.values(stat).every(Number.isFinite) ? stat : null;
}

/** A process and everything below it. Empty when it is not among them. */
export function treeOf(root: number, all: readonly ProcessStat[]): readonly ProcessStat[] {
  const found = all.filter(({ pid }) => pid === root);
  // Grows while it is walked: children of children follow.
  for (const { pid } of found) found.push(...all.filter(({ parent, pid: own }) => parent === pid && own !== pid));
  return found;
}

/** Busy time of cores by /proc/stat, in clock ticks: all but idle and waiting; the time stolen by other machines too. */
export function busyTicks(text: string, cores: readonly number[]): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    const match = /^cpu([0-9]+) (.*)$/.exec(line);
    if (match === null || !cores.includes(Number(match[1]))) continue;
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (match[2] ?? '')
      .split(' ')
      .map(Number);
    sum += user + nice + system + irq + softirq + steal;
  }
  return sum;
}
