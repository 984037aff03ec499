import type { DriverUrl } from '../../core/routing/driver-url.ts';
import { RedisFleet } from '../editor/redis-fleet.ts';
import type { Fleet } from '../fleet.ts';

/**
 * Opens the fleet of the routers whose heartbeats go to this driver URL, the one for writes. @param timeoutMs limit of a command
 * @returns null for a routes file: its router is alone, and its admin interface knows the workers
 */
export function openFleet(write: DriverUrl, timeoutMs: number): Fleet | null {
  return write.scheme === 'redis' ? new RedisFleet(write.redis, timeoutMs) : null;
}
