import type { Death } from '../core/types.ts';
import type { RouteStore } from '../store/store.ts';

/** What came of a death, for whoever keeps the log. */
export type DeathNotice =
  | { readonly type: 'backend-dead'; readonly death: Death; readonly ttlSeconds: number; readonly why: string }
  | { readonly type: 'death-unfiled'; readonly death: Death; readonly cause: unknown }
  /** It answers well again. */
  | { readonly type: 'backend-alive'; readonly death: Death; readonly deadSeconds: number };

/** Files a death and tells the operator. Never rejects, and no request waits for it. */
export async function mourn(
  death: Death,
  why: string,
  ttlSeconds: number,
  store: Pick<RouteStore, 'markDead'>,
  notify: (notice: DeathNotice) => void,
): Promise<void> {
  notify({ type: 'backend-dead', death, ttlSeconds, why });
  try {
    await store.markDead(death, ttlSeconds);
  } catch (cause) {
    notify({ type: 'death-unfiled', death, cause });
  }
}
