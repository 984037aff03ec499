/** How a worker process ended, or why it could not be started. */
export type WorkerEnd =
  /** It reported why it cannot serve, and exited. `reason`: a sentence for the operator. */
  | { readonly type: 'failed'; readonly reason: string }
  /** Killed by a signal: of the kernel's OOM killer, an operator, or an abort. */
  | { readonly type: 'killed'; readonly signal: string }
  | { readonly type: 'exited'; readonly code: number | null }
  /** The system has no resources for a process, or the program is missing. */
  | { readonly type: 'unstarted'; readonly cause: string };

/** A sentence about the worker's end, for the operator. */
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
