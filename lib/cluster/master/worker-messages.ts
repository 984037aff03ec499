import type { Worker } from 'node:cluster';
import type { Config } from '../../config/config.ts';
import type { SnapshotQuery, SnapshotReply, ToMaster } from '../messages.ts';
import type { SnapshotUpdate } from '../../store/cache/snapshot-updates.ts';
import type { Answer } from '../../admin/questions.ts';
import type { FileMarks } from './file-marks.ts';
import type { WorkerShares } from './shares.ts';
import type { Generation } from './generation.ts';
import { type LastGoodCertificates, sourceOf } from './last-good-certificates.ts';
import { replace, type WorkerReplacement } from './worker-replacement.ts';
import { send, type WorkerSlot } from './worker-slot.ts';
import type { Log } from '../../observe/log.ts';

/** Messages of workers that the master itself handles. */
export interface Reports {
  event(line: string): void;
  told(id: number, answer: Answer, pid: number): void;
  logKept(cause: string): void;
  learn(config: Config, update: SnapshotUpdate): void;
  answer(config: Config, query: SnapshotQuery): SnapshotReply;
}

/** The parts of the master that handle a worker's messages: its slot and generation, and what all workers share. */
export interface Recipients {
  readonly slot: WorkerSlot;
  readonly generation: Generation;
  readonly marks: FileMarks<Worker>;
  readonly shares: WorkerShares;
  readonly goodPairs: LastGoodCertificates;
  readonly replacement: WorkerReplacement;
  /** Whether all generations have started. During a reload all workers are about to be replaced. */
  readonly isSettled: () => boolean;
  readonly reports: Reports;
  readonly log: Log;
}

/** Handles a worker's message. All types are dispatched here and nowhere else. */
export function onWorkerMessage(message: ToMaster, worker: Worker, recipients: Recipients): void {
  const { slot, generation, marks, goodPairs, reports } = recipients;
  const { config } = generation;
  switch (message.type) {
    case 'alive':
      return;
    case 'hello':
      return slot.hasSaidHello(worker);
    case 'ready':
      return slot.isReady(worker, message.listening);
    case 'failed':
      return slot.hasFailed(worker, message.message);
    case 'closing':
      return generation.isClosing(worker);
    case 'closed':
      return slot.hasClosed(worker);
    case 'open':
      return generation.hasConnections(worker, message.open);
    case 'accepts':
      return generation.accepts(worker);
    case 'want-socket':
      return generation.sendSocket(worker, message.index);
    case 'want-routes':
      // The message may be delivered after its sender has exited.
      if (worker.isDead()) return;
      // The worker needs the dead marks before the first routes.
      marks.sendAll(worker);
      return generation.sendRoutes(worker);
    case 'want-certificates':
      return generation.sendCertificates(worker);
    case 'good-pair':
      return goodPairs.keep({ source: sourceOf(config), key: message.key, pair: message.pair }, worker);
    case 'no-pair':
      return goodPairs.drop(sourceOf(config), message.key, worker);
    case 'want-pair': {
      const { key } = message;
      return send(worker, { type: 'pair', key, pair: goodPairs.find(sourceOf(config), key) });
    }
    case 'mark':
      return marks.add(message.asked, worker);
    case 'unmark':
      return marks.remove(message.mark);
    case 'checked':
      return marks.setChecked(message.key, message.urls);
    case 'trial':
      return marks.give(message.asked, worker);
    case 'trial-passed':
      return marks.passed(message.name);
    case 'want-shares': {
      const { id, demands, needs } = message.asked;
      const name = String(worker.id);
      const { shares } = recipients;
      const reply = { id, shares: shares.exchange(name, demands), permits: shares.lease(name, needs) };
      return send(worker, { type: 'shares', reply });
    }
    case 'fat':
      // If the reload is refused, the worker sends this again.
      if (recipients.isSettled()) void recipients.replacement.ask(worker, slot, message.excess);
      return;
    case 'leaving':
      void replace(worker, slot, recipients.log);
      return;
    case 'event':
      return reports.event(message.line);
    case 'told':
      return reports.told(message.id, message.answer, worker.process.pid ?? 0);
    case 'log-kept':
      return reports.logKept(message.cause);
    case 'snapshot-update':
      return reports.learn(config, message.update);
    case 'snapshot-query':
      return send(worker, { type: 'snapshot-reply', recalled: reports.answer(config, message.recall) });
  }
}
