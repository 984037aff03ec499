import type { Redis } from 'ioredis';
import type { Endpoint, RedisAddress } from '../../core/routing/redis-address.ts';
import { ioredis } from './ioredis.ts';
import { sentinelOptionsFor } from './options.ts';

const CHANNEL = '+switch-master';

/**
 * Listens to every sentinel for changes of the master. An old master that was only slow stays one for up to ten
 * seconds, until a sentinel reconfigures it: without listening, the router would read stale data from it meanwhile.
 */
export class SentinelWatch {
  readonly #clients: readonly Redis[];
  #fault = '';

  /** @param onSwitch called by each sentinel with the new master's address */
  constructor(address: RedisAddress, handshakeMs: number, onSwitch: (to: Endpoint) => void) {
    const { place } = address;
    const { Redis } = ioredis();
    this.#clients = sentinelOptionsFor(address, handshakeMs).map((options) => {
      const client = new Redis(options);
      // A sentinel that is down comes back, or the others report the change.
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

  /** Why the last attempt to connect to a sentinel failed, which ioredis' own error does not say; or an empty text. */
  get fault(): string {
    return this.#fault;
  }

  close(): void {
    for (const client of this.#clients) client.disconnect();
  }
}
