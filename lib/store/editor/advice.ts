import type { UrlRules } from '../../core/routing/url-rules.ts';

/**
 * How an operator repairs what is stored: commands for redis-cli, or instructions for a routes file. Keys of frontends
 * come without `frontend:`; names are as in the store.
 */
export interface Advice {
  /** Which parts of a backend URL matter. */
  readonly urls: UrlRules;
  renameKey(key: string, meant: string): string;
  /** Removes a key that cannot be repaired. */
  removeKey(key: string): string;
  /** Replaces a value of another type with a list. */
  makeList(key: string): string;
  shortenList(key: string): string;
  /** Keeps the first elements, the identifier included. */
  keepFirst(key: string, count: number): string;
  /** Removes an element `times` times, starting at the end. */
  removeFromEnd(key: string, element: string, times: number): string;
  keepList(key: string): string;
  addIdentifier(key: string): string;
  setIdentifier(key: string, name: string): string;
  firstFromLast(key: string): string;
  addBackend(key: string): string;
  setBackend(key: string, id: number, url: string): string;
  splitBackend(key: string, id: number, urls: readonly string[]): string;
  /** Removes the last element. `url`: as in the list, where an earlier element equals it. */
  removeLast(key: string, id: number, url: string): string;
  /** Renames a key that is not a frontend's. Both are names. */
  renameMetadata(name: string, wanted: string): string;
  removeMetadata(name: string): string;
  removeFields(name: string, fields: readonly string[]): string;
  renameCertificate(name: string, wanted: string): string;
  /** Replaces a certificate that cannot be used. Empty where the store has no command for that. */
  renewCertificate(key: string): string;
}
