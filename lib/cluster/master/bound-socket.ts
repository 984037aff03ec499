/**
 * Uses an undocumented function of Node (the other place is fastlane/accepted-reads.ts): a socket that this process
 * binds and others accept from. Node's cluster makes sockets in the same way, but closes each with the last worker that
 * listens; these outlive all workers.
 */
import * as net from 'node:net';
import { getSystemErrorName } from 'node:util';

/** Node's socket handle: the members used here. It can be sent to a worker, which listens on it. */
interface Handle {
  readonly fd: number;
  readonly getsockname?: (out: { address?: string; port?: number }) => number;
  readonly close: () => void;
}

/** Returns a negative system error, or a handle that is bound but does not listen. */
type CreateHandle = (address: string | null, port: number | null, family: number, fd: number, flags: number) => unknown;

const { _createServerHandle: create } = net as unknown as { readonly _createServerHandle?: CreateHandle };

/** Whether this Node can make such sockets. If not, workers listen by node:cluster. */
export const canBind = typeof create === 'function';

/** A bound TCP socket that this process does not accept from. Workers get it and listen. */
export class BoundSocket {
  readonly address: string;
  readonly port: number;
  readonly #handle: Handle;
  #isOpen = true;

  private constructor(made: unknown) {
    if (typeof made === 'number') throw systemError(made);
    this.#handle = made as Handle;
    const out: { address?: string; port?: number } = {};
    // Some failures of bind are reported only here.
    const fault = this.#handle.getsockname?.(out) ?? -1;
    if (fault < 0 || out.address === undefined || out.port === undefined) {
      this.#handle.close();
      throw this.#handle.getsockname ? systemError(fault) : new Error('it is no TCP socket');
    }
    this.address = out.address;
    this.port = out.port;
  }

  /** Binds a socket. @param port 0 for any free one. @throws the system's error, for example EADDRINUSE */
  static bind(address: string, port: number): BoundSocket {
    return new BoundSocket(create?.(address, port, address.includes(':') ? 6 : 4, -1, 0));
  }

  /** Takes over a socket that this process was started with. @throws Error when the descriptor is no TCP socket */
  static adopt(fd: number): BoundSocket {
    return new BoundSocket(create?.(null, null, -1, fd, 0));
  }

  /** The handle to send to a child process. */
  get handle(): unknown {
    return this.#handle;
  }

  /** The descriptor to start a child process with. */
  get fd(): number {
    return this.#handle.fd;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Closes it here. Processes that it was sent to keep it open. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#handle.close();
  }
}

function systemError(number: number): Error {
  const code = getSystemErrorName(number);
  return Object.assign(new Error(code), { code });
}
