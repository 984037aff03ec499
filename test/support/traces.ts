import assert from 'node:assert/strict';
import { eventually } from './eventually.ts';
import { noProc, openFilesOf, workerOf } from './processes.ts';
import type { Router } from './router.ts';

/** Notes what the one worker of a router holds. @returns checks that it lives still, made no mistake, and holds that again */
export function noteTraces(router: Router): (spareFiles: number) => Promise<void> {
  const worker = noProc ? 0 : workerOf(router);
  const openBefore = noProc ? 0 : openFilesOf(worker);
  return async (spareFiles) => {
    const mistakes = router.log.filter(({ event }) => event === 'worker-mistake' || event === 'internal-error');
    assert.deepEqual(mistakes, []);
    assert.deepEqual(router.stray, []);
    if (noProc) return;
    assert.equal(workerOf(router), worker);
    await eventually(() => {
      const open = openFilesOf(worker);
      assert.ok(open <= openBefore + spareFiles, `${open} open files, ${openBefore} before`);
    }, 10_000);
  };
}
