/** What can be wrong with routes, by name. docs/routes.md tells of each. */
const SEVERITY = {
  // A frontend's key.
  'upper-case': 'error',
  'idn-key': 'error',
  'space-in-key': 'error',
  'key-scheme': 'error',
  'key-port': 'error',
  'key-path': 'error',
  'trailing-dot': 'error',
  'leading-dot': 'error',
  'star-without-dot': 'error',
  'deep-wildcard': 'error',
  'bad-key': 'error',
  'misspelt-prefix': 'error',
  'other-prefix': 'note',
  // A frontend's list.
  'wrong-type': 'error',
  'too-long': 'error',
  'no-identifier': 'error',
  'identifier-last': 'error',
  'identifier-only': 'error',
  'provisioned-twice': 'error',
  'space-in-identifier': 'note',
  expires: 'note',
  'more-faults': 'note',
  // A backend.
  'no-scheme': 'error',
  'bad-scheme': 'error',
  'bad-url': 'error',
  'two-urls': 'error',
  'space-around': 'note',
  'no-port': 'note',
  'path-ignored': 'note',
  'https-ignored': 'note',
  'user-ignored': 'note',
  duplicate: 'note',
  // A dead set.
  'dead-type': 'error',
  'dead-wildcard': 'error',
  'dead-no-number': 'error',
  'dead-no-expiry': 'error',
  'dead-out-of-range': 'note',
  'dead-stale': 'note',
  'dead-moved': 'note',
  'dead-sole': 'note',
  // What a health checker leaves.
  'hchecker-type': 'error',
  'hchecker-value': 'error',
  'checker-blind': 'note',
  'checker-deadly': 'note',
  // What stands beside lists: prefixes, options, error pages.
  'side-key': 'error',
  'side-stale': 'note',
  'prefixes-type': 'error',
  'prefix-name': 'error',
  'prefix-without-list': 'note',
  'path-unlisted': 'error',
  'options-type': 'error',
  'options-long': 'error',
  'option-unknown': 'error',
  'option-value': 'error',
  'option-idle': 'note',
  'canonical-unserved': 'note',
  'pages-type': 'error',
  'page-unusable': 'error',
  // A certificate.
  'tls-key': 'error',
  'tls-type': 'error',
  'tls-field': 'error',
  'tls-pair': 'error',
  'tls-expired': 'error',
  'tls-expires': 'note',
  // The store itself.
  unreadable: 'error',
  'broken-file': 'error',
} as const;

export type FaultCode = keyof typeof SEVERITY;
/** `error`: requests do not go where they were meant to go. `note`: they do, and there is something to know. */
export type Severity = 'error' | 'note';

export const FAULT_CODES = Object.keys(SEVERITY) as readonly FaultCode[];

/** Something about a key that an operator should know. */
export interface Fault {
  readonly code: FaultCode;
  readonly severity: Severity;
  /** What is wrong, in one sentence. */
  readonly text: string;
  /** What mends it: commands for redis-cli, one a line, or what to write in the file. Empty when it is only to be known. */
  readonly advice: string;
}

export function fault(code: FaultCode, text: string, advice = ''): Fault {
  return { code, severity: SEVERITY[code], text, advice };
}
