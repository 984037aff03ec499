import type { Redis } from 'ioredis';
import type { Endpoint, RedisAddress } from '../../core/routing/redis-address.ts';
import { ioredis } from './ioredis.ts';
import { sentinelOptionsFor } from './options.ts';

const CHANNEL = '+switch-master';

/**
 * Hears from every sentinel when the master has changed. An old master that was only slow goes on as one for up to ten
 * seconds, until a sentinel tells it: who does not listen reads from it what nobody writes any more.
 */
export class SentinelWatch {
  readonly #clients: readonly Redis[];
  #fault = '';

  /** @param onSwitch told where the master is now, by each sentinel */
  constructor(address: RedisAddress, handshakeMs: number, onSwitch: (to: Endpoint) => void) {
    const { place } = address;
    const { Redis } = ioredis();
    this.#clients = sentinelOptionsFor(address, handshakeMs).map((options) => {
      const client = new Redis(options);
      // One that is away comes back, or others tell.
      client.on('error', (error: Error) => {
        this.#fault = error.message;
      });
      client.on('ready', () => void client.subscribe(CHANNEL).catch(() => {}));
      client.on('message', (_channel: string, message: string) => {
        const [name, , , host = '', port] = message.split(' ');
        if (place.type === 'sentinels' && name === place.master) onSwitch({ host, port: Number(port) });
      });
      return client;
    });
  }

  /** Why the last attempt to connect to one of them failed, which ioredis' own question does not say; or nothing. */
  get fault(): string {
    return this.#fault;
  }

  close(): void {
    for (const client of this.#clients) client.disconnect();
  }
}
