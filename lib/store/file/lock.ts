import { link, unlink, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { readOwn } from '../../files/read.ts';
import { EditorError } from '../editor-error.ts';

/** The holder of a lock. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
  readonly token: string;
}

/** A larger lock file is not one of this program, bytes. */
const MAX_HOLDER = 4096;

/** Between two attempts to get a lock that is held, ms. */
const RETRY_MS = 20;

/**
 * Does some work under a lock, which excludes all processes of this machine. The lock is a file with its holder; the
 * lock of a dead holder is removed.
 * @throws EditorError `busy` when the lock was not free in time
 */
export async function whileLocked<T>(path: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const holder: Holder = { pid: process.pid, host: hostname(), since: new Date().toISOString(), token: randomUUID() };
  await acquire(path, holder, performance.now() + timeoutMs);
  try {
    return await work();
  } finally {
    // If the lock was removed by hand, it may be another's now.
    if ((await holderOf(path))?.token === holder.token) await unlink(path).catch(() => {});
  }
}

async function acquire(path: string, holder: Holder, deadline: number): Promise<void> {
  // A link appears with its content, and only if the path is free. A new file would be empty for a moment.
  const own = `${path}.${holder.token}`;
  await writeFile(own, JSON.stringify(holder), { mode: 0o644, flag: 'wx' });
  try {
    while (!(await linked(own, path))) {
      const other = await holderOf(path);
      if (other !== null && isGone(other) && (await broken(path, other))) continue;
      if (performance.now() >= deadline) throw new EditorError('busy', inWords(path, other));
      await delay(RETRY_MS);
    }
  } finally {
    await unlink(own).catch(() => {});
  }
}

async function linked(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Null when there is no lock any more, or when it is not one of this program. */
async function holderOf(path: string): Promise<Holder | null> {
  try {
    const value: unknown = JSON.parse(readOwn(path, MAX_HOLDER).toString());
    return isHolder(value) ? value : null;
  } catch {
    return null;
  }
}

/** Whether the holder has died. Not known for a process of another machine. */
function isGone({ pid, host }: Holder): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

/** Removes the lock of a dead holder. False when another process is about to. */
async function broken(path: string, { token }: Holder): Promise<boolean> {
  // Only one of the processes that see the dead holder may remove its lock: a second removal could hit the next
  // holder's.
  const claim = `${path}.${token}.dead`;
  try {
    await writeFile(claim, '', { flag: 'wx' });
  } catch {
    return false;
  }
  if ((await holderOf(path))?.token === token) await unlink(path);
  await unlink(claim).catch(() => {});
  return true;
}

function inWords(path: string, holder: Holder | null): string {
  if (holder === null) return `${path} blocks edits; remove it when no process edits the routes file`;
  const { pid, host, since } = holder;
  return `process ${pid} on ${host} has been editing the routes file since ${since}; if it has not, remove ${path}`;
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, host, since, token } = value as Partial<Record<keyof Holder, unknown>>;
  if (typeof pid !== 'number' || pid < 1 || typeof host !== 'string') return false;
  return typeof since === 'string' && typeof token === 'string' && /^[\w-]{1,64}$/.test(token);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
