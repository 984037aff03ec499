/** How a worker process ended, or that none came of it. */
export type WorkerEnd =
  /** It said why it cannot serve, then exited. `reason`: a sentence for the operator. */
  | { readonly type: 'failed'; readonly reason: string }
  /** By a signal: the kernel's OOM killer's, an operator's, or that of an abort. */
  | { readonly type: 'killed'; readonly signal: string }
  | { readonly type: 'exited'; readonly code: number | null }
  /** The system has no room for a process, or no program. */
  | { readonly type: 'unstarted'; readonly cause: string };

/** As a sentence whose subject is the worker, or without one where there was no worker. */
export function describeEnd(end: WorkerEnd): string {
  switch (end.type) {
    case 'failed':
      return end.reason;
    case 'killed':
      return `it was killed by ${end.signal}`;
    case 'exited':
      return `it exited with code ${end.code}`;
    case 'unstarted':
      return `a worker could not be started: ${end.cause}`;
  }
}
