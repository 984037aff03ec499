/** The problems that routes can have, by name. docs/routes.md describes each. */
const SEVERITY = {
  // Of a frontend's key.
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
  // Of a frontend's list.
  'wrong-type': 'error',
  'too-long': 'error',
  'no-identifier': 'error',
  'identifier-last': 'error',
  'identifier-only': 'error',
  'provisioned-twice': 'error',
  'space-in-identifier': 'note',
  expires: 'note',
  'more-faults': 'note',
  // Of a backend.
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
  // Of a dead set.
  'dead-type': 'error',
  'dead-wildcard': 'error',
  'dead-no-number': 'error',
  'dead-no-expiry': 'error',
  'dead-out-of-range': 'note',
  'dead-stale': 'note',
  'dead-moved': 'note',
  'dead-sole': 'note',
  // Of a health checker.
  'hchecker-type': 'error',
  'hchecker-value': 'error',
  'checker-blind': 'note',
  'checker-deadly': 'note',
  // Of prefixes, options, header fields, weights and error pages.
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
  'headers-type': 'error',
  'headers-long': 'error',
  'header-unusable': 'error',
  'header-twice': 'note',
  'weights-type': 'error',
  'weights-long': 'error',
  'weight-unusable': 'error',
  'weight-unlisted': 'note',
  'checks-type': 'error',
  'checks-long': 'error',
  'check-field': 'error',
  'check-idle': 'note',
  'canonical-unserved': 'note',
  'pages-type': 'error',
  'page-unusable': 'error',
  // Of a certificate.
  'tls-key': 'error',
  'tls-type': 'error',
  'tls-field': 'error',
  'tls-pair': 'error',
  'tls-expired': 'error',
  'tls-expires': 'note',
  // Of the store itself.
  unreadable: 'error',
  'broken-file': 'error',
} as const;

/** The name of a problem. */
export type FaultCode = keyof typeof SEVERITY;
/** `error`: requests do not go where they were meant to go. `note`: they do, but an operator should know. */
export type Severity = 'error' | 'note';

/** All names of problems. */
export const FAULT_CODES = Object.keys(SEVERITY) as readonly FaultCode[];

/** A problem of a key. */
export interface Fault {
  readonly code: FaultCode;
  readonly severity: Severity;
  /** What is wrong, in one sentence. */
  readonly text: string;
  /**
   * How to fix it: commands for redis-cli, one a line, or what to write in the file. Empty when nothing must be done.
   */
  readonly advice: string;
}

/** Makes a Fault with the severity of its code. */
export function fault(code: FaultCode, text: string, advice = ''): Fault {
  return { code, severity: SEVERITY[code], text, advice };
}
