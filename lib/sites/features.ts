/** All site features, in the order in which they act. A new one needs its file, a line here, a test, and docs/sites.md. */
import { balance } from './balance.ts';
import { buffer } from './buffer.ts';
import { bandwidth } from './bandwidth.ts';
import { deadOn5xx } from './dead-on-5xx.ts';
import { eject } from './eject.ts';
import type { SiteFeature } from './feature.ts';
import { headers } from './headers.ts';
import { hsts } from './hsts.ts';
import { maxConn } from './max-conn.ts';
import { limits } from './limits.ts';
import { rate } from './rate.ts';
import { redirects } from './redirects.ts';
import { rewrite } from './rewrite.ts';
import { state } from './state.ts';
import { sticky } from './sticky.ts';
import { weights } from './weights.ts';

export const FEATURES: readonly SiteFeature[] = Object.freeze([
  redirects,
  state,
  rate,
  maxConn,
  limits,
  buffer,
  rewrite,
  deadOn5xx,
  eject,
  hsts,
  headers,
  bandwidth,
  balance,
  sticky,
  weights,
]);
