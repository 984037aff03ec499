/** What a worker needs of a master, in its own process: the router of a library has one worker and no master process. */
import type { AddressInfo } from 'node:net';
import type { Answer, Question } from '../admin/questions.ts';
import { FileMarks } from '../cluster/master/file-marks.ts';
import { LastGoodCertificates } from '../cluster/master/last-good-certificates.ts';
import type { RoutesFeed } from '../cluster/master/routes-feed.ts';
import { WorkerShares } from '../cluster/master/shares.ts';
import type { ToMaster, ToWorker } from '../cluster/messages.ts';

/** A message that Worker.hear takes. */
type Heard = Exclude<ToWorker, { type: 'configure' | 'drain' }>;

/** The name of the only worker where the master's parts distinguish workers. */
const ONLY: object = Object.freeze({});
const NAME = 'only';
const STORE = '';

/** What an InnerMaster sends its messages and events to. */
export interface InnerMasterParts {
  /** Gives the worker a message, and a socket or an address to listen on. */
  readonly tell: (message: Heard, socket: object | undefined) => void;
  /** Called with each line of the operator's log, JSON. */
  readonly onLine: (line: string) => void;
}

/** Replies to the messages of one worker as the master does, each in a later microtask, as if it had come from elsewhere. */
export class InnerMaster {
  readonly marks: FileMarks<object>;
  /** The routes and the certificates of a routes file, or of routes in memory; null with other stores. */
  routes: RoutesFeed<object> | null = null;
  certificates: RoutesFeed<object> | null = null;
  readonly #parts: InnerMasterParts;
  readonly #shares = new WorkerShares(() => performance.now());
  readonly #goodPairs = new LastGoodCertificates((_store, news) => this.send({ type: 'pair-news', news }));
  readonly #asked = new Map<number, (answer: Answer) => void>();
  /** Where each listener listens, once it does: it listens there again after a pause. */
  readonly #addresses = new Map<number, Pick<AddressInfo, 'address' | 'port'>>();
  #lastId = 0;

  constructor(parts: InnerMasterParts) {
    this.#parts = parts;
    const tellAll = (message: ToWorker): void => this.send(message);
    this.marks = new FileMarks({ tellAll, tell: (_worker, message) => tellAll(message), now: Date.now });
  }

  /** Sends the worker a message. It handles it in a later microtask, hence before anything that comes from a socket. */
  send(message: ToWorker, socket?: object): void {
    if (message.type === 'configure' || message.type === 'drain') return;
    queueMicrotask(() => this.#parts.tell(message, socket));
  }

  /** Asks the worker. Each question is answered within the store's time limit. */
  ask(question: Question): Promise<Answer> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.send({ type: 'ask', id, question });
    });
  }

  /** The listener of this index listens there: the kernel has chosen the port of one with port 0. */
  listensAt(index: number, address: Pick<AddressInfo, 'address' | 'port'>): void {
    this.#addresses.set(index, address);
  }

  /** Handles a message of the worker. */
  hear(message: ToMaster): void {
    switch (message.type) {
      case 'want-socket':
        return this.send({ type: 'socket', index: message.index }, this.#targetOf(message.index));
      case 'want-routes':
        return this.routes?.want(ONLY);
      case 'want-certificates':
        return this.certificates?.want(ONLY);
      case 'good-pair':
        return this.#goodPairs.keep({ source: STORE, key: message.key, pair: message.pair }, null);
      case 'no-pair':
        return this.#goodPairs.drop(STORE, message.key, null);
      case 'want-pair':
        return this.send({ type: 'pair', key: message.key, pair: this.#goodPairs.find(STORE, message.key) });
      case 'mark':
        return this.marks.add(message.asked, ONLY);
      case 'unmark':
        return this.marks.remove(message.mark);
      case 'checked':
        return this.marks.setChecked(message.key, message.urls);
      case 'trial':
        return this.marks.give(message.asked, ONLY);
      case 'trial-passed':
        return this.marks.passed(message.name);
      case 'want-shares': {
        const { id, demands, needs } = message.asked;
        const reply = { id, shares: this.#shares.exchange(NAME, demands), permits: this.#shares.lease(NAME, needs) };
        return this.send({ type: 'shares', reply });
      }
      case 'snapshot-query': {
        // There is no other worker that could have read them.
        const { id, hosts } = message.recall;
        return this.send({ type: 'snapshot-reply', recalled: { id, lines: hosts.map(() => []) } });
      }
      case 'told':
        this.#asked.get(message.id)?.(message.answer);
        this.#asked.delete(message.id);
        return;
      case 'event':
        return this.#parts.onLine(message.line);
      // What a master does for these, it does for other processes.
      case 'hello':
      case 'alive':
      case 'ready':
      case 'failed':
      case 'fat':
      case 'leaving':
      case 'accepts':
      case 'open':
      case 'log-kept':
      case 'closing':
      case 'closed':
      case 'snapshot-update':
        return;
    }
  }

  #targetOf(index: number): object | undefined {
    const at = this.#addresses.get(index);
    return at && { host: at.address, port: at.port, ipv6Only: at.address === '::' ? false : undefined };
  }
}
