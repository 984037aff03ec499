/** Builds on `npm install` in a clone; a published package comes built. */
import { build, canBuild, isBuilt } from './build.mjs';

if (canBuild()) {
  process.exitCode = build();
} else if (isBuilt()) {
  console.error('hipache is not built anew: the compiler is a development dependency. dist/ stays as it is.');
} else {
  console.error(
    'hipache is not built: the compiler is a development dependency. Run "npm ci" in its folder first, without --omit=dev.',
  );
  process.exitCode = 1;
}
