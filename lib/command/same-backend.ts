import { parseBackend } from '../core/routing/backend-url.ts';
import { isDialled, serverOf } from '../core/routing/backend.ts';

/** Whether two elements of a list name the same server, in whatever spelling. */
export function isSameBackend(a: string, b: string): boolean {
  if (a === b) return true;
  const [one, other] = [parseBackend(a, 0), parseBackend(b, 0)];
  if (!('backend' in one) || !('backend' in other)) return false;
  if (!isDialled(one.backend) || !isDialled(other.backend)) return one.backend.href === other.backend.href;
  return serverOf(one.backend) === serverOf(other.backend);
}
