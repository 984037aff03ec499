import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

/**
 * Removes what a program that was killed has left of its Unix socket. What is no socket, or one that somebody listens
 * on, stays: then listening fails, and says why.
 */
export async function clearStaleSocket(path: string): Promise<void> {
  const isSocket = await lstat(path).then(
    (found) => found.isSocket(),
    () => false,
  );
  if (isSocket && (await isRefused(path))) await unlink(path).catch(() => {});
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
