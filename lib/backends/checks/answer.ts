import { type CheckRules, isGoodStatus } from '../../core/health/check-rules.ts';

/** The response to a check by HTTP. */
export interface Answer {
  readonly status: number;
  /** Whether the text that the body must contain is there. */
  readonly hasBody: boolean;
}

/** What a check has shown. */
export interface Shown {
  readonly hasPassed: boolean;
  /** For operators. */
  readonly detail: string;
}

/** Called once, when a check knows its result. */
export type OnShown = (shown: Shown) => void;

/** @param answer a string says what is wrong with the response */
export function judgeAnswer(answer: Answer | string, rules: Pick<CheckRules, 'statuses' | 'body'>): Shown {
  if (typeof answer === 'string') return { hasPassed: false, detail: answer };
  const { status, hasBody } = answer;
  if (!isGoodStatus(status, rules)) return { hasPassed: false, detail: `status ${status}` };
  if (!hasBody) return { hasPassed: false, detail: `status ${status}, and the body does not contain the text` };
  return { hasPassed: true, detail: `status ${status}` };
}
