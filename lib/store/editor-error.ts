/** Why the routes of a store could not be read or edited by an operator. */
export type EditorErrorCode =
  /** No answer from the store, or not in time. Of an edit it is not known whether it was made. */
  | 'store-unavailable'
  /** The store, or the file system, does not allow it. */
  | 'store-refused'
  /** Something else than a list or a set stands at a key; it was not touched. */
  | 'wrong-type'
  /** The list cannot be one: empty, or longer than 10,000 elements. */
  | 'bad-list'
  /** Others changed the same frontend all the time, or hold the file's lock. */
  | 'busy'
  /** The routes file cannot be used as it is. */
  | 'broken-file'
  /** No such cursor. */
  | 'bad-cursor';

export class EditorError extends Error {
  override readonly name = 'EditorError';
  readonly code: EditorErrorCode;

  constructor(code: EditorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
