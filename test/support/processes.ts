/** What the system tells of processes, by way of Linux's /proc. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { eventually } from './eventually.ts';
import type { Router } from './router.ts';

/** Why tests that look at processes cannot run here, for `skip`; false when they can. */
export const noProc: string | false = existsSync('/proc/self/stat') ? false : 'this system has no /proc';

interface Stat {
  /** One letter; Z has ended and waits for its parent to look. */
  readonly state: string;
  readonly parent: number;
}

function statOf(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name before it, in brackets, may hold anything.
    const [state = '', parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return null;
  }
}

export function isAlive(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== null && stat.state !== 'Z';
}

/** The workers of a router, oldest first. */
export function workersOf({ process: { pid: master = -1 } }: Router): readonly number[] {
  return childrenOf(master);
}

/** The processes that a process has started, oldest first. */
export function childrenOf(parent: number): readonly number[] {
  const pids =
    listedChildrenOf(parent) ??
    readdirSync('/proc')
      .map(Number)
      .filter((pid) => statOf(pid)?.parent === parent);
  return pids.filter(isAlive).toSorted((a, b) => a - b);
}

/** As the kernel lists them for each thread. Null where it does not: to look at every process takes milliseconds. */
function listedChildrenOf(parent: number): readonly number[] | null {
  const tasks = `/proc/${parent}/task`;
  try {
    const lists = readdirSync(tasks).map((thread) => readFileSync(`${tasks}/${thread}/children`, 'latin1'));
    return lists.flatMap((list) => list.split(' ').filter(Boolean)).map(Number);
  } catch {
    // A kernel without these lists, or a thread that has ended since.
    return null;
  }
}

/** The worker of a router that has one. */
export function workerOf(router: Router): number {
  const [pid, ...others] = workersOf(router);
  if (pid === undefined || others.length > 0) throw new Error(`${others.length + (pid ? 1 : 0)} workers, not one`);
  return pid;
}

/** Resolves when all these processes have ended. */
export async function haveEnded(pids: readonly number[]): Promise<void> {
  await eventually(() => {
    const left = pids.filter(isAlive);
    if (left.length > 0) throw new Error(`still there: ${left.join(', ')}`);
  }, 20_000);
}

/** A field of a process's status, such as `Uid` or `Groups`: its values. */
export function statusOf(pid: number, field: string): readonly string[] {
  const line = readFileSync(`/proc/${pid}/status`, 'latin1')
    .split('\n')
    .find((text) => text.startsWith(`${field}:`));
  return line === undefined
    ? []
    : line
        .slice(field.length + 1)
        .split(/\s+/)
        .filter(Boolean);
}

/** How much memory a process has, bytes. */
export function residentBytes(pid: number): number {
  return Number(statusOf(pid, 'VmRSS')[0]) * 1024;
}

/** How many files and sockets a process has open. */
export function openFilesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** How many files below a folder a process has open. */
export function openBelow(pid: number, folder: string): number {
  return readdirSync(`/proc/${pid}/fd`).filter((name) => targetOf(pid, name).startsWith(`${folder}/`)).length;
}

/** How many connections to a local port each of these processes has accepted and not closed. */
export function connectionsOf(pids: readonly number[], port: number): readonly number[] {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const ESTABLISHED = '01';
  const rows = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const sockets = new Set(
    rows
      .filter(([, address, , state]) => address?.endsWith(local) && state === ESTABLISHED)
      .map((row) => `socket:[${row[9]}]`),
  );
  return pids.map((pid) => readdirSync(`/proc/${pid}/fd`).filter((name) => sockets.has(targetOf(pid, name))).length);
}

function targetOf(pid: number, name: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${name}`);
  } catch {
    // Closed since the folder was read.
    return '';
  }
}

/** Which of these processes has the client's end of a connection that comes from this port of 127.0.0.1. */
export function clientOf(port: number, pids: readonly number[]): number | undefined {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((row) => row.trim().split(/\s+/));
  const inode = rows.find((row) => row[1] === local)?.[9];
  if (inode === undefined) return undefined;
  return pids.find((pid) => readdirSync(`/proc/${pid}/fd`).some((name) => targetOf(pid, name) === `socket:[${inode}]`));
}
