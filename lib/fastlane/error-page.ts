import type { LaneParts } from './parts.ts';

/**
 * Resolves to whether one of these keys has an error page, which the full lane sends. As there, a page that cannot be read is none.
 * Never rejects.
 */
export function hasPage({ store }: LaneParts, keys: readonly string[], status: number): Promise<boolean> {
  return store.page(keys, status).then(
    (html) => html !== null,
    () => false,
  );
}
