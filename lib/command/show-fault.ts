import type { Fault } from '../diagnostics/fault.ts';
import { clean, type Console, paint } from './console.ts';

/** The lines of a fault and its advice, indented. @param where the key, if it must be named */
export function faultLines(
  console: Console,
  { code, severity, text, advice }: Fault,
  where?: string,
): readonly string[] {
  const color = severity === 'error' ? 'red' : 'yellow';
  const place = where === undefined ? '' : `${clean(where)}: `;
  const lines = advice === '' ? [] : advice.split('\n');
  return [
    `${place}${paint(console, color, severity)} ${code}: ${clean(text)}`,
    ...lines.map((line) => paint(console, 'dim', `    ${clean(line)}`)),
  ];
}

/** `1 error`, `2 errors`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
