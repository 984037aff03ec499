import type { UrlRules } from '../../core/routing/url-rules.ts';

/**
 * How an operator repairs what is stored: commands for redis-cli, or instructions for a routes file. Keys of frontends come without
 * `frontend:`; names are as the store spells them.
 */
export interface Advice {
  /** What counts of the URLs that it is about. */
  readonly urls: UrlRules;
  renameKey(key: string, meant: string): string;
  /** For a key that nothing can be made of. */
  removeKey(key: string): string;
  /** For what stands there and is no list. */
  makeList(key: string): string;
  shortenList(key: string): string;
  /** Leaves the first elements, the identifier among them. */
  keepFirst(key: string, count: number): string;
  /** Takes an element out so many times, the last ones first. */
  removeFromEnd(key: string, element: string, times: number): string;
  keepList(key: string): string;
  addIdentifier(key: string): string;
  setIdentifier(key: string, name: string): string;
  firstFromLast(key: string): string;
  addBackend(key: string): string;
  setBackend(key: string, id: number, url: string): string;
  splitBackend(key: string, id: number, urls: readonly string[]): string;
  /** `url`: as the list spells it; it stands there earlier, too. */
  removeLast(key: string, id: number, url: string): string;
  /** For a key other than a frontend's. Both are names. */
  renameMetadata(name: string, wanted: string): string;
  removeMetadata(name: string): string;
  removeFields(name: string, fields: readonly string[]): string;
  renameCertificate(name: string, wanted: string): string;
  /** For a certificate that cannot be used. Empty where the store has no command for it. */
  renewCertificate(key: string): string;
}
