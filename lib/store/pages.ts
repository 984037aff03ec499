/** Error pages that tenants give themselves: the hash `errors:<key>`, a status in each field. */

/** Of one page, bytes. */
export const MAX_PAGE_BYTES = 64 * 1024;

/** Why a page cannot be used; null when it can. */
export function pageFault(status: string, html: string): string | null {
  if (!/^[45][0-9]{2}$/.test(status)) return 'a page is for a status from 400 to 599';
  if (Buffer.byteLength(html) > MAX_PAGE_BYTES) return `a page has ${MAX_PAGE_BYTES / 1024} KiB at most`;
  return null;
}

/** Where pages are read. */
export interface PageSource {
  /** As `RouteStore.page`. */
  find(keys: readonly string[], status: number): Promise<string | null>;
}
