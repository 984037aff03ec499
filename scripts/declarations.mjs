/** The declarations of the library, for programs in TypeScript: those that it exports, and what these refer to. */
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';

const IMPORT = /\bfrom '(\.[^']+)\.ts'|\bimport\("(\.[^"]+)\.ts"\)/g;

/** Copies them to `types/`. @param dist the folder with what the compiler has made, a URL @param entry below it */
export function collectDeclarations(dist, entry) {
  const types = new URL('types/', dist);
  // What earlier builds left there may not belong to it any more.
  rmSync(types, { recursive: true, force: true });
  const found = new Set([new URL(entry, dist).href]);
  for (const source of found) {
    for (const [, from, imported] of readFileSync(new URL(source), 'utf8').matchAll(IMPORT)) {
      found.add(new URL(`${from ?? imported}.d.ts`, source).href);
    }
  }
  for (const source of found) {
    const target = new URL(source.slice(dist.href.length), types);
    mkdirSync(new URL('.', target), { recursive: true });
    copyFileSync(new URL(source), target);
  }
}
