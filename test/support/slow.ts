/** A backend whose answers wait until the test lets them go. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { type RunningBackend, startBackend } from './backends.ts';
import { eventually } from './eventually.ts';

export interface SlowBackend extends RunningBackend<Server> {
  /** Requests that wait for their answer, oldest first. */
  readonly waiting: readonly { readonly request: IncomingMessage; readonly response: ServerResponse }[];
  /** Resolves when so many requests have come. */
  arrived(count: number): Promise<void>;
}

export async function startSlowBackend(t: TestContext): Promise<SlowBackend> {
  const waiting: { request: IncomingMessage; response: ServerResponse }[] = [];
  const backend = await startBackend(t, (request, response) => waiting.push({ request, response }));
  const arrived = (count: number): Promise<void> =>
    eventually(() => {
      if (waiting.length < count) throw new Error(`${waiting.length} of ${count} requests have come`);
    }, 20_000);
  return { ...backend, waiting, arrived };
}
