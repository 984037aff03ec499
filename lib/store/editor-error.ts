/** Why an operator's read or edit of a store failed. */
export type EditorErrorCode =
  /** The store did not reply in time. An edit may or may not have been made. */
  | 'store-unavailable'
  /** The store, or the file system, refuses it. */
  | 'store-refused'
  /** The key holds another type than a list or a set; it was not changed. */
  | 'wrong-type'
  /** The list is invalid: empty, or longer than 10,000 elements. */
  | 'bad-list'
  /** Others changed the same frontend too often, or hold the file's lock. */
  | 'busy'
  /** The routes file is invalid. */
  | 'broken-file'
  /** The log of changes does not have it, or there is none. */
  | 'no-history'
  /** The cursor is invalid. */
  | 'bad-cursor';

/** A failed read or edit of a store by an operator. */
export class EditorError extends Error {
  override readonly name = 'EditorError';
  readonly code: EditorErrorCode;

  constructor(code: EditorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
