/**
 * A file that this process could open and must not. The message completes the sentence that begins with the file's
 * name: `is …`.
 */
export class UnsafePathError extends Error {
  override readonly name = 'UnsafePathError';
  readonly code = 'EUNSAFE';
}
