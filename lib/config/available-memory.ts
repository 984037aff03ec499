import { posix } from 'node:path';

/** The folders of control groups, version 2 and version 1. */
const ROOT = '/sys/fs/cgroup';
const ROOT_V1 = '/sys/fs/cgroup/memory';

/**
 * How much memory this process and its children may use, bytes: the machine's, or less where a control group (a
 * container's, or systemd's MemoryMax) limits it, its own or one above it.
 * @param total the machine's memory
 * @param read returns the text of a file, "" when there is none
 */
export function availableMemory(total: number, read: (path: string) => string): number {
  const limits = read('/proc/self/cgroup')
    .split('\n')
    .flatMap((line) => {
      // "0::/path" in version 2, "4:memory:/path" in version 1.
      const [id, controllers = '', path = ''] = line.trim().split(':', 3);
      if (id === '0' && controllers === '') return limitsOf(ROOT, path, 'memory.max', read);
      return controllers.split(',').includes('memory') ? limitsOf(ROOT_V1, path, 'memory.limit_in_bytes', read) : [];
    });
  return Math.min(total, ...limits);
}

/** In a container the path may be the host's, of which only the root is visible. */
function limitsOf(root: string, path: string, file: string, read: (path: string) => string): number[] {
  const limits: number[] = [];
  for (let at = posix.resolve('/', path); ; at = posix.dirname(at)) {
    const limit = Number.parseInt(read(posix.join(root, at, file)), 10);
    // "max" is not a number.
    if (limit > 0) limits.push(limit);
    if (at === '/') return limits;
  }
}
