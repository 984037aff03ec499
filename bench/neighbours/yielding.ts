/**
 * The beginning of the command of a program of tenant A. These share a core with B's client and backend, which must not
 * wait for them: what is measured is the router's work for A, not that of A's own programs.
 */
export const YIELDING: readonly string[] = [
  'sh',
  '-c',
  // With autogroups of sessions (sched(7)) nice has an effect within a session only, and each program here has one.
  '{ echo 10 > /proc/self/autogroup; } 2> /dev/null; exec nice -n 10 "$@"',
  'sh',
];
