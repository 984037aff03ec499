/** What a process and everything below it has used. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { busyTicks, parseProcessStat, treeOf, type ProcessStat } from './proc-stat.ts';

export interface Usage {
  /** Processor time since the start, µs. The clock behind it has steps of 10 ms. */
  readonly cpuMicros: number;
  /** Resident memory of all its processes, bytes. Pages that they share count for each. */
  readonly residentBytes: number;
}

const ask = (name: string): number => Number(execFileSync('getconf', [name], { encoding: 'utf8' }));
const MICROS_PER_TICK = 1e6 / ask('CLK_TCK');
const PAGE_BYTES = ask('PAGESIZE');

/** Of the process and all its descendants; those that have ended count while their parent lives. */
export function usageOf(pid: number): Usage {
  const tree = treeOf(pid, allProcesses());
  const sum = (of: (stat: ProcessStat) => number): number => tree.reduce((total, stat) => total + of(stat), 0);
  return {
    cpuMicros: sum(({ ticks }) => ticks) * MICROS_PER_TICK,
    residentBytes: sum(({ residentPages }) => residentPages) * PAGE_BYTES,
  };
}

/** Time that these cores have been busy since the machine started, µs. */
export function busyMicros(cores: readonly number[]): number {
  return busyTicks(readFileSync('/proc/stat', 'latin1'), cores) * MICROS_PER_TICK;
}

function allProcesses(): readonly ProcessStat[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^[0-9]+$/.test(name)) return [];
    try {
      return parseProcessStat(readFileSync(`/proc/${name}/stat`, 'latin1')) ?? [];
    } catch {
      // It has ended since the folder was read.
      return [];
    }
  });
}
