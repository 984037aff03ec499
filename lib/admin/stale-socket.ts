import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename } from 'node:path';
import { folderFor } from '../files/pinned-folder.ts';

/**
 * Removes a Unix socket that a killed program has left. Keeps files that are no sockets, and sockets that a program
 * listens on: listening on the path fails then, with the reason.
 * @throws the system's error for a missing folder; UnsafePathError when another user's link leads to the path
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
