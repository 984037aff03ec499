import type { PermitShare } from '../../core/limits/permits.ts';
import type { PermitNeed, Share, ShareDemand, ShareSource } from '../shares.ts';
import { MasterReplies } from './master-replies.ts';

/** What a worker asks the master. Plain data: it is sent between processes. */
export interface AskedShares {
  readonly id: number;
  readonly demands: readonly ShareDemand[];
  readonly needs: readonly PermitNeed[];
}

/** The master's reply: to each demand, and to each need. */
export interface RepliedShares {
  readonly id: number;
  readonly shares: readonly Share[];
  readonly permits: readonly PermitShare[];
}

/** A worker's side of the shares among the workers of one router: the master divides limits (see cluster/master/shares.ts). */
export class FileShares implements ShareSource {
  readonly #send: (asked: AskedShares) => void;
  readonly #replies = new MasterReplies<RepliedShares>();
  #last = 0;

  constructor(send: (asked: AskedShares) => void) {
    this.#send = send;
  }

  async exchange(demands: readonly ShareDemand[]): Promise<readonly Share[]> {
    return (await this.#ask(demands, [])).shares;
  }

  async lease(needs: readonly PermitNeed[]): Promise<readonly PermitShare[]> {
    return (await this.#ask([], needs)).permits;
  }

  /** The master's reply. Does nothing when it comes too late. */
  answered(reply: RepliedShares): void {
    this.#replies.came(String(reply.id), reply);
  }

  #ask(demands: readonly ShareDemand[], needs: readonly PermitNeed[]): Promise<RepliedShares> {
    const id = ++this.#last;
    return this.#replies.ask(String(id), () => this.#send({ id, demands, needs }));
  }
}
