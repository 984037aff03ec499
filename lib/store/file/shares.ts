import type { Share, ShareDemand, ShareSource } from '../shares.ts';
import { MasterReplies } from './master-replies.ts';

/** What a worker asks the master. Plain data: it is sent between processes. */
export interface AskedShares {
  readonly id: number;
  readonly demands: readonly ShareDemand[];
}

/** A worker's side of the shares among the workers of one router: the master divides limits (see cluster/master/shares.ts). */
export class FileShares implements ShareSource {
  readonly #send: (asked: AskedShares) => void;
  readonly #replies = new MasterReplies<readonly Share[]>();
  #last = 0;

  constructor(send: (asked: AskedShares) => void) {
    this.#send = send;
  }

  exchange(demands: readonly ShareDemand[]): Promise<readonly Share[]> {
    const id = ++this.#last;
    return this.#replies.ask(String(id), () => this.#send({ id, demands }));
  }

  /** The master's reply. Does nothing when it comes too late. */
  answered(id: number, shares: readonly Share[]): void {
    this.#replies.came(String(id), shares);
  }
}
