/** Tenants' own error pages: the hash `errors:<key>`, with HTML by status. */

/** The maximum size of a page, bytes. */
export const MAX_PAGE_BYTES = 64 * 1024;

/** Why a page cannot be used; null when it can. */
export function pageFault(status: string, html: string): string | null {
  if (!/^[45][0-9]{2}$/.test(status)) return 'the status of an error page must be from 400 to 599';
  if (Buffer.byteLength(html) > MAX_PAGE_BYTES) return `an error page may have at most ${MAX_PAGE_BYTES / 1024} KiB`;
  return null;
}

/** A source of error pages. */
export interface PageSource {
  /** As `RouteStore.page`. */
  find(keys: readonly string[], status: number): Promise<string | null>;
}
