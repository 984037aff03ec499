/**
 * Replaces the compiled files that start a process or a thread, and that of the library, by ones that hold all that they import: Node loads a few
 * files where it would load 300, which takes a third of the CPU time of a router's start. Dependencies stay packages.
 */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { compile } from './build.mjs';
import { collectDeclarations } from './declarations.mjs';

const PROGRAMS = [
  'bin/hipache.ts',
  'lib/cluster/worker/worker-main.ts',
  'lib/cluster/admin-main.ts',
  'lib/store/file/reading-main.ts',
  'lib/library/index.ts',
];

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = new URL('../dist/', import.meta.url);

// What earlier builds left there has other names.
rmSync(new URL('chunks', dist), { recursive: true, force: true });

if (await isInstalled()) {
  await bundle();
} else {
  console.error(
    'hipache is built without esbuild, an optional part of which is not installed here: it starts more slowly.',
  );
  process.exitCode = compileAnew();
}
collectDeclarations(dist, 'lib/library/index.d.ts');

/** Its program is an optional dependency, one for each kind of machine. */
async function isInstalled() {
  try {
    await transform('');
    return true;
  } catch {
    return false;
  }
}

async function bundle() {
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
}

/** Undoes an earlier bundle: the compiler takes its own files for up to date. Returns the exit code. */
function compileAnew() {
  rmSync(new URL('.tsbuildinfo', dist), { force: true });
  return compile('.');
}
