/** What a deploy changes in a list and in its weights. Pure functions. */
import { readWeight } from '../core/balance/weights.ts';
import type { SiteFields } from '../core/routing/site.ts';
import type { FieldChanges } from '../store/editor/route-editor.ts';

/** The changes of one deploy. */
export interface DeployPlan {
  /** Backends that are in the list and are not to stay. */
  readonly old: readonly string[];
  /** Backends that come into the list. */
  readonly added: readonly string[];
  /** Weights while the old backends drain: theirs are 0, and those that stay have no 0 from an earlier deploy. */
  readonly draining: FieldChanges;
  /** Weights when the old backends have gone: they have none. */
  readonly cleared: FieldChanges;
  /** Weights as they were before. */
  readonly restored: FieldChanges;
}

/**
 * Plans a deploy.
 * @param list the identifier, then the backends
 * @param weights the frontend's own
 * @param urls the backends that the list shall have
 */
export function planDeploy(list: readonly string[], weights: SiteFields, urls: readonly string[]): DeployPlan {
  const entries = list.slice(1);
  const wanted = new Set(urls.map((url) => url.trim()));
  const present = new Set(entries.map((entry) => entry.trim()));
  const added = [...wanted].filter((url) => !present.has(url));
  const old = [...present].filter((url) => !wanted.has(url));
  const idle = [...wanted].filter((url) => isZero(weights.get(url)));
  return {
    old,
    added,
    draining: new Map([
      ...old.map((url) => [url, zeroOf(weights.get(url))] as const),
      ...idle.map((url) => [url, null] as const),
    ]),
    cleared: new Map(old.map((url) => [url, null])),
    restored: new Map([...old, ...idle].map((url) => [url, weights.get(url) ?? null])),
  };
}

/** The list without the old backends, whatever others have changed in it meanwhile. */
export function withoutOld(list: readonly string[], old: readonly string[]): readonly string[] {
  const gone = new Set(old);
  const [name = '', ...entries] = list;
  return [name, ...entries.filter((entry) => !gone.has(entry.trim()))];
}

function isZero(weight: string | undefined): boolean {
  const read = weight === undefined ? null : readWeight(weight);
  return typeof read === 'object' && read?.share === 0;
}

/** The weight 0 in the same zone. */
function zeroOf(weight: string | undefined): string {
  const read = weight === undefined ? null : readWeight(weight);
  const zone = typeof read === 'object' ? (read?.zone ?? null) : null;
  return zone === null ? '0' : `0 ${zone}`;
}
