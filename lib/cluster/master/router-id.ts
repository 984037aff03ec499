import { randomBytes } from 'node:crypto';

/** Identifies this router in the fleet, from the start of its master to its end. */
export const routerId = randomBytes(6).toString('hex');
