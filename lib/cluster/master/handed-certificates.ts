import type { ChildProcess } from 'node:child_process';
import type { LastGoodCertificate } from './last-good-certificates.ts';

/** A part of what a program knows of certificates, for its successor. Over the channel between them, never by a file. */
interface HandedPairs {
  readonly type: 'handed-pairs';
  readonly pairs: readonly LastGoodCertificate[];
  readonly isLast: boolean;
}

/** Set for a successor that is sent some. */
const VARIABLE = 'HIPACHE_HANDED_PAIRS';
/** Pairs of one message: some 500 kB. */
const BATCH = 100;
/** How long a successor waits for them, ms: it begins without the rest. */
const LIMIT_MS = 5_000;

/** What a successor's environment says, so that it waits for them. */
export const PAIRS_ENVIRONMENT = { [VARIABLE]: '1' } as const;

/** Sends all to a successor that was started with `PAIRS_ENVIRONMENT`. */
export function handCertificates(child: ChildProcess, pairs: readonly LastGoodCertificate[]): void {
  for (let at = 0; at === 0 || at < pairs.length; at += BATCH) {
    const isLast = at + BATCH >= pairs.length;
    // One that has ended already is told of by its exit.
    child.send({ type: 'handed-pairs', pairs: pairs.slice(at, at + BATCH), isLast } satisfies HandedPairs, () => {});
  }
}

/**
 * Takes what our predecessor hands over, if it does; each batch as it comes. Resolves when there is no more, and within
 * five seconds. Takes the variable out of `env`: it is not meant for children.
 */
export async function takeCertificates(
  take: (kept: LastGoodCertificate) => void,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const isHanded = env[VARIABLE] !== undefined;
  delete env[VARIABLE];
  if (!isHanded || !process.connected) return;
  await new Promise<void>((resolve) => {
    const stop = (): void => {
      clearTimeout(timer);
      process.off('message', onMessage).off('disconnect', stop);
      resolve();
    };
    const onMessage = (message: HandedPairs): void => {
      if (message.type !== 'handed-pairs') return;
      for (const kept of message.pairs) take(kept);
      if (message.isLast) stop();
    };
    const timer = setTimeout(stop, LIMIT_MS);
    process.on('message', onMessage).on('disconnect', stop);
  });
}
