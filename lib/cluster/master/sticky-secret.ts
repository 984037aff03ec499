import { randomBytes } from 'node:crypto';

/**
 * The secret of sticky cookies where neither the configuration nor Redis has one. It is the same in all workers, and lasts
 * as long as this process: a reload keeps it, a restart and an upgrade do not.
 */
export const OWN_STICKY_SECRET = randomBytes(32).toString('base64url');
