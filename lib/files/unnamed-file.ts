import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
const MODE = 0o600;

/**
 * Creates a file for this process alone, which has no name when this resolves: the system frees it when it is closed, and
 * when the process dies.
 * @param folder may be one where others may write, such as /tmp
 * @throws the file system's error
 */
export async function openUnnamed(folder: string): Promise<FileHandle> {
  const path = join(folder, `.hipache-${randomUUID()}`);
  // O_EXCL: an existing file, or a link that another user has placed, is not opened.
  const file = await open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, MODE);
  try {
    await unlink(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
