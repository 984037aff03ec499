import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename } from 'node:path';
import { folderFor } from '../files/pinned-folder.ts';

/**
 * Removes what a program that was killed has left of its Unix socket. What is no socket, or one that somebody listens
 * on, stays: then listening fails, and says why.
 * @throws the system's error for a folder that is not there; UnsafePathError when another user's link leads to it
 */
export async function clearStaleSocket(path: string): Promise<void> {
  const folder = folderFor(path);
  try {
    const name = folder.at(basename(path));
    const isSocket = await lstat(name).then(
      (found) => found.isSocket(),
      () => false,
    );
    if (isSocket && (await isRefused(name))) await unlink(name).catch(() => {});
  } finally {
    folder.close();
  }
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
