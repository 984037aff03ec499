/** A backend that holds its requests until they are let go, and counts them. */
import type { ServerResponse } from 'node:http';
import { eventually } from './eventually.ts';
import { type RunningBackend, startBackend } from './backends.ts';
import type { Owner } from './router.ts';

export class HoldingBackend {
  readonly url: string;
  /** Requests that are held, in the order in which they came. */
  readonly held: { readonly path: string; readonly response: ServerResponse }[] = [];
  /** The most that were held at one time. */
  most = 0;

  constructor({ url }: Pick<RunningBackend<unknown>, 'url'>) {
    this.url = url;
  }

  /** Waits until so many are held. */
  async holds(count: number): Promise<void> {
    await eventually(() => {
      if (this.held.length !== count) throw new Error(`${this.held.length} requests are held, not ${count}`);
    });
  }

  /** Responds to the oldest one. */
  letGo(status = 200): void {
    const first = this.held.shift();
    if (first === undefined) throw new Error('no request is held');
    first.response.writeHead(status);
    first.response.end(first.path);
  }
}

export async function startHoldingBackend(t: Owner): Promise<HoldingBackend> {
  let holding: HoldingBackend | null = null;
  const running = await startBackend(t, (request, response) => {
    request.resume();
    const entry = { path: request.url ?? '', response };
    if (holding === null) return;
    const { held } = holding;
    held.push(entry);
    holding.most = Math.max(holding.most, held.length);
    response.once('close', () => {
      const at = held.indexOf(entry);
      if (at !== -1) held.splice(at, 1);
    });
  });
  holding = new HoldingBackend(running);
  return holding;
}
