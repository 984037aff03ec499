import { after } from 'node:test';
import type { Owner } from './router.ts';

/**
 * Owns what the tests of a file share, and ends it after the last of them, in the reverse order. To be called outside of
 * tests: inside one, node:test would take `after` for that test's.
 */
export function fileOwner(): Owner {
  const ends: (() => unknown)[] = [];
  after(async () => {
    for (const end of ends.toReversed()) await end();
  });
  return { after: (end) => void ends.push(end) };
}
