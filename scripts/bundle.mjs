/**
 * Replaces the compiled files that start a process or a thread by ones that hold all that they import: Node loads a few
 * files where it would load 300, which takes a third of the CPU time of a router's start. Dependencies stay packages.
 */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const PROGRAMS = [
  'bin/hipache.ts',
  'lib/cluster/worker/worker-main.ts',
  'lib/cluster/admin-main.ts',
  'lib/store/file/reading-main.ts',
];

const root = fileURLToPath(new URL('..', import.meta.url));

// What earlier builds left there has other names.
rmSync(new URL('../dist/chunks', import.meta.url), { recursive: true, force: true });

await build({
  absWorkingDir: root,
  entryPoints: PROGRAMS,
  outbase: '.',
  outdir: 'dist',
  bundle: true,
  packages: 'external',
  // What several of them import is shared, and commands are loaded when they are run.
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  logLevel: 'warning',
});
