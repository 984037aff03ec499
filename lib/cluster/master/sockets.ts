import { BoundSocket, canBind } from './bound-socket.ts';
import type { Inherited } from './inherited.ts';
import { listenFault } from '../listen-fault.ts';

/** Where to listen, as the configuration says it; port 0 is any free one. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/** A socket, and the place it was configured for. */
export interface HandedSocket extends Place {
  readonly fd: number;
}

/** A socket that we were started with, until a listener claims it. */
interface Spare {
  readonly name: Inherited;
  readonly socket: BoundSocket;
}

const ANY = new Map([
  ['0.0.0.0', (address: string) => !address.includes(':')],
  ['::', () => true],
]);

/**
 * The sockets that clients connect to. They are the master's, which never accepts: so they outlive workers,
 * configurations and, handed to a successor, the program. Clients that connect while nobody accepts wait in the
 * system's queue.
 */
export class Sockets {
  readonly #spare: Spare[] = [];
  #open: ReadonlyMap<string, BoundSocket> = new Map();

  /** Takes over what we were started with, for listeners to claim. @throws Error for a descriptor that is no TCP socket */
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
   * The sockets for these places, in their order; those that are there already stay as they are. Null for each where
   * this Node has no such sockets.
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

  /** Closes all but those for these places. */
  keep(places: readonly Place[]): void {
    const keys = new Set(keysOf(places));
    const kept = new Map<string, BoundSocket>();
    for (const [key, socket] of this.#open) {
      if (keys.has(key)) kept.set(key, socket);
      else socket.close();
    }
    this.#open = kept;
  }

  /** Closes what we were started with and no listener wants. @returns where those were */
  dropSpare(): readonly Place[] {
    const dropped = this.#spare.splice(0).map(({ socket }) => socket);
    for (const socket of dropped) socket.close();
    return dropped;
  }

  /** What a successor of the program is to be started with. */
  toHandOver(places: readonly Place[]): readonly HandedSocket[] {
    return keysOf(places).flatMap((key, index) => {
      const socket = this.#open.get(key);
      return socket ? [{ ...(places[index] as Place), fd: socket.fd }] : [];
    });
  }

  /** The one whose name says so, else the one that is there. */
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

/** A socket, or why there is none, in words. */
function bindOrWhy(address: string, port: number): BoundSocket | string {
  try {
    return BoundSocket.bind(address, port);
  } catch (error) {
    return listenFault(error);
  }
}

/** Several places may want any free port: each is another one. */
function keysOf(places: readonly Place[]): readonly string[] {
  const seen = new Map<string, number>();
  return places.map(({ address, port }) => {
    const name = `${address} ${port}`;
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return `${name} ${count}`;
  });
}
