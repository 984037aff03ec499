/**
 * A file that this process could open but must not. The message continues a sentence that starts with the file's name:
 * `is …`.
 */
export class UnsafePathError extends Error {
  override readonly name = 'UnsafePathError';
  readonly code = 'EUNSAFE';
}
