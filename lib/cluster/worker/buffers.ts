import { tmpdir } from 'node:os';
import type { ServerConfig } from '../../config/config.ts';
import { BufferBudget } from '../../core/limits/buffer-budget.ts';
import { openUnnamed } from '../../files/unnamed-file.ts';
import type { BufferParts } from '../../proxy/overflow-file.ts';

/** The buffers of bodies of a worker. @param tell logs a fault of a site */
export function buffersOf(
  { limits, bufferFolder }: ServerConfig,
  tell: (site: string, fault: string) => void,
): BufferParts {
  const onFault = (site: string, error: unknown): void => {
    const why = error instanceof Error ? error.message : String(error);
    tell(site, `a body cannot be buffered in server.bufferFolder: ${why}`);
  };
  const folder = bufferFolder ?? tmpdir();
  const budget = new BufferBudget(limits.bufferMemoryBytes, limits.bufferFileBytes);
  return { budget, open: () => openUnnamed(folder), onFault };
}
