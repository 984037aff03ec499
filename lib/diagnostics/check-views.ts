/** What active checks have shown of the backends of a list, for explain. */
import { readResult } from '../core/health/check-result.ts';
import { type Checked, uncheckedIds } from '../core/health/checked.ts';
import { isDialled, type RouteList } from '../core/routing/backend.ts';
import type { StoredChecks } from '../store/editor/route-editor.ts';
import type { CheckView } from './explanation.ts';

/** The backends that were checked, in the order of the list; each URL once. @param now ms since 1970 */
export function checkViews(
  { results, checked }: StoredChecks,
  { backends }: RouteList,
  now: number,
): readonly CheckView[] {
  const urls = new Set(backends.filter(isDialled).map(({ href }) => href));
  return [...urls].flatMap((url): readonly CheckView[] => {
    const waits = checked.length > 0 && !checked.includes(url);
    const result = readResult(results.get(url) ?? '');
    if (result === null)
      return waits ? [{ url, state: 'new', waits, passed: null, detail: null, secondsAgo: null, router: null }] : [];
    const { state, hasPassed: passed, detail, at, router } = result;
    return [{ url, state: state.is, waits, passed, detail, secondsAgo: Math.max(0, (now - at) / 1000), router }];
  });
}

/** What the checks say about the backends of a list, as a lookup reads it. */
export function checkedIds({ checked, down }: StoredChecks, list: RouteList): Checked {
  return {
    unchecked: checked.length === 0 ? [] : uncheckedIds(new Set(checked), list),
    down: list.backends.filter(({ href }) => down.includes(href)).map(({ id }) => id),
  };
}
