import { BoundSocket, canBind } from './bound-socket.ts';
import type { Inherited } from './inherited.ts';
import { listenFault } from '../listen-fault.ts';

/** A configured address to listen on; port 0 is any free one. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/** A socket with its configured address. */
export interface HandedSocket extends Place {
  readonly fd: number;
}

/** A socket that this program was started with and that no listener uses yet. */
interface Spare {
  readonly name: Inherited;
  readonly socket: BoundSocket;
}

const ANY = new Map([
  ['0.0.0.0', (address: string) => !address.includes(':')],
  ['::', () => true],
]);

/**
 * The listening sockets. The master holds them and never accepts, so they outlive workers, configurations and, passed
 * to a successor, the program. Connections that come while no worker accepts wait in the kernel's queue.
 */
export class Sockets {
  readonly #spare: Spare[] = [];
  #open: ReadonlyMap<string, BoundSocket> = new Map();

  /** Takes over the sockets that this program was started with. @throws Error for a descriptor that is no TCP socket */
  adopt(inherited: readonly Inherited[]): void {
    if (!canBind) return;
    for (const name of inherited) {
      try {
        this.#spare.push({ name, socket: BoundSocket.adopt(name.fd) });
      } catch (cause) {
        throw new Error(`descriptor ${name.fd}, which the program was started with, cannot be used`, { cause });
      }
    }
  }

  /**
   * The sockets for these addresses, in the same order. Existing sockets are kept. Null for each where this Node cannot
   * bind without listening.
   * @throws Error with a sentence for the operator; then nothing has changed
   */
  open(places: readonly Place[]): readonly (BoundSocket | null)[] {
    if (!canBind) return places.map(() => null);
    const open = new Map(this.#open);
    const made: BoundSocket[] = [];
    const sockets = keysOf(places).map((key, index) => {
      const { address, port } = places[index] as Place;
      let socket = open.get(key) ?? this.#claim(address, port);
      if (socket === null) {
        const bound = bindOrWhy(address, port);
        if (typeof bound === 'string') {
          for (const other of made) other.close();
          throw new Error(`cannot listen on ${address} port ${port}: ${bound}`);
        }
        made.push(bound);
        socket = bound;
      }
      open.set(key, socket);
      return socket;
    });
    this.#open = open;
    return sockets;
  }

  /** Closes all sockets but those for these addresses. */
  keep(places: readonly Place[]): void {
    const keys = new Set(keysOf(places));
    const kept = new Map<string, BoundSocket>();
    for (const [key, socket] of this.#open) {
      if (keys.has(key)) kept.set(key, socket);
      else socket.close();
    }
    this.#open = kept;
  }

  /** Closes inherited sockets that no listener uses. @returns their addresses */
  dropSpare(): readonly Place[] {
    const dropped = this.#spare.splice(0).map(({ socket }) => socket);
    for (const socket of dropped) socket.close();
    return dropped;
  }

  /** The sockets that a successor is started with. */
  toHandOver(places: readonly Place[]): readonly HandedSocket[] {
    return keysOf(places).flatMap((key, index) => {
      const socket = this.#open.get(key);
      return socket ? [{ ...(places[index] as Place), fd: socket.fd }] : [];
    });
  }

  /** The inherited socket with this name, else the one bound to this address. */
  #claim(address: string, port: number): BoundSocket | null {
    const isNamed = ({ name }: Spare): boolean => name.address === address && name.port === port;
    const isThere = ({ socket }: Spare): boolean =>
      port !== 0 && socket.port === port && (socket.address === address || ANY.get(socket.address)?.(address) === true);
    const spare = this.#spare.find(isNamed) ?? this.#spare.find(isThere);
    if (!spare) return null;
    this.#spare.splice(this.#spare.indexOf(spare), 1);
    return spare.socket;
  }
}

/** A socket, or the reason why it cannot be bound. */
function bindOrWhy(address: string, port: number): BoundSocket | string {
  try {
    return BoundSocket.bind(address, port);
  } catch (error) {
    return listenFault(error);
  }
}

/** A key per address. Several may have port 0: each gets a key of its own. */
function keysOf(places: readonly Place[]): readonly string[] {
  const seen = new Map<string, number>();
  return places.map(({ address, port }) => {
    const name = `${address} ${port}`;
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return `${name} ${count}`;
  });
}
