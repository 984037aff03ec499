import type { SiteFeature } from '../../sites/feature.ts';
import type { OpenedStore, StoreSettings } from '../../store/drivers/open-store.ts';

/** What differs where a worker is part of another program, without a master process: see lib/library. */
export interface WorkerHost {
  /** Opens the store; by the configuration's driver URLs, if missing. */
  readonly openStore?: ((settings: StoreSettings) => OpenedStore) | undefined;
  /** The features of sites, where they are not FEATURES. */
  readonly features?: readonly SiteFeature[] | undefined;
  /** Whether log lines are sent as `event` only. */
  readonly isSilent?: boolean;
}
