import { posix } from 'node:path';

/** Where control groups are: of version 2, and of version 1. */
const ROOT = '/sys/fs/cgroup';
const ROOT_V1 = '/sys/fs/cgroup/memory';

/**
 * How much memory this process and its children may take, bytes: what the machine has, or less where a control group
 * (a container's, or systemd's MemoryMax) says so, its own or one above it.
 * @param total what the machine has
 * @param read gives the text of a file, "" when there is none
 */
export function availableMemory(total: number, read: (path: string) => string): number {
  const limits = read('/proc/self/cgroup')
    .split('\n')
    .flatMap((line) => {
      // "0::/path" of version 2, "4:memory:/path" of version 1.
      const [id, controllers = '', path = ''] = line.trim().split(':', 3);
      if (id === '0' && controllers === '') return limitsOf(ROOT, path, 'memory.max', read);
      return controllers.split(',').includes('memory') ? limitsOf(ROOT_V1, path, 'memory.limit_in_bytes', read) : [];
    });
  return Math.min(total, ...limits);
}

/** In a container the path may be the host's, of which only the root is to be seen. */
function limitsOf(root: string, path: string, file: string, read: (path: string) => string): number[] {
  const limits: number[] = [];
  for (let at = posix.resolve('/', path); ; at = posix.dirname(at)) {
    const limit = Number.parseInt(read(posix.join(root, at, file)), 10);
    // "max" is no number.
    if (limit > 0) limits.push(limit);
    if (at === '/') return limits;
  }
}
