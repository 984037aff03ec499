import type { ChildProcess } from 'node:child_process';
import type { LastGoodCertificate } from './last-good-certificates.ts';
import { ownStickySecret } from './sticky-secret.ts';

/**
 * Part of the last good certificates, for a successor, and the secret of sticky cookies. Sent over its IPC channel, never by
 * a file: it has private keys.
 */
interface HandedPairs {
  readonly type: 'handed-pairs';
  /** Missing in versions that did not hand it on. */
  readonly stickySecret?: string;
  readonly pairs: readonly LastGoodCertificate[];
  readonly isLast: boolean;
}

/** Set in the environment of a successor that is sent certificates. */
const VARIABLE = 'HIPACHE_HANDED_PAIRS';
/** Pairs per message: about 500 kB. */
const BATCH = 100;
/** How long a successor waits for them, ms. Then it starts without the rest. */
const LIMIT_MS = 5_000;

/** The environment of a successor that waits for certificates. */
export const PAIRS_ENVIRONMENT = { [VARIABLE]: '1' } as const;

/** Sends all pairs to a successor that was started with `PAIRS_ENVIRONMENT`. */
export function handCertificates(child: ChildProcess, pairs: readonly LastGoodCertificate[]): void {
  for (let at = 0; at === 0 || at < pairs.length; at += BATCH) {
    const isLast = at + BATCH >= pairs.length;
    const part = { pairs: pairs.slice(at, at + BATCH), isLast, stickySecret: ownStickySecret.current };
    // A send fails when the successor has exited, which is handled elsewhere.
    child.send({ type: 'handed-pairs', ...part } satisfies HandedPairs, () => {});
  }
}

/**
 * Receives the certificates that the predecessor sends, if there is one; calls `take` for each. Keeps its secret. Resolves when it has
 * all, and after LIMIT_MS at the latest. Deletes the variable from `env`, so that child processes do not get it.
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
      ownStickySecret.inherit(message.stickySecret);
      for (const kept of message.pairs) take(kept);
      if (message.isLast) stop();
    };
    const timer = setTimeout(stop, LIMIT_MS);
    process.on('message', onMessage).on('disconnect', stop);
  });
}
