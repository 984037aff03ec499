/**
 * The beginning of the command of a program of tenant A. These share a core with B's client and backend, which must not
 * wait for them: what is measured is the router's work for A, not that of A's own programs.
 */
export const YIELDING: readonly string[] = ['nice', '-n', '10'];
