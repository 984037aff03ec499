/** What the page is answered: the router's own types. For the type check alone: no byte of it is served. */

type Fault = import('../../lib/vhosts/fault.ts').Fault;
type BackendAnswer = import('../../lib/vhosts/explanation.ts').BackendView;
type FrontendAnswer = import('../../lib/vhosts/explanation.ts').FrontendView;
type KeyAnswer = import('../../lib/vhosts/explanation.ts').KeyView;
type MemoryAnswer = import('../../lib/vhosts/explanation.ts').MemoryView;
type ExplainAnswer = import('../../lib/vhosts/explanation.ts').LiveExplanation;
type FrontendsAnswer = import('../../lib/admin/answers.ts').FrontendsAnswer;
type WorkersAnswer = import('../../lib/admin/answers.ts').WorkersAnswer;
type LiveAnswer = import('../../lib/admin/answers.ts').LiveAnswer;

/** A value for each second; null where there was nothing to measure. */
type Series = readonly (number | null)[];

interface LogEvent {
  readonly time: string;
  readonly level: string;
  readonly pid: number;
  readonly event: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}
