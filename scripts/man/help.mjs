/** The text of `--help` as man(7): its usage lines, its options and commands as lists of terms, its paragraphs. */
import { bold, escaped, item, line, verbatim } from './roff.mjs';

/** The lines after "Usage:". */
export function usageOf(help) {
  const [block] = help.split('\n\n');
  return block.split('\n').map((text) => text.replace(/^(?:Usage:)? +/, ''));
}

export function synopsis(help) {
  const lines = usageOf(help).map((text) => line(bold(text)));
  return lines.join('\n.br\n').split('\n');
}

/** What is below the usage lines. */
export function helpToMan(help) {
  const [, ...blocks] = help.trimEnd().split('\n\n');
  return blocks.flatMap((block) => blockToMan(block.split('\n')));
}

const TERM = /^ {2,8}(\S.*?) {2,}(\S.*)$/;

function blockToMan(lines) {
  if (!lines[0].startsWith(' ')) return ['.PP', line(escaped(lines.join(' ')))];
  if (!TERM.test(lines[0])) return verbatim(lines.map((text) => text.trim()));
  const items = [];
  for (const text of lines) {
    const [, term, meaning] = TERM.exec(text) ?? [];
    if (term === undefined) items[items.length - 1][1] += ` ${text.trim()}`;
    else items.push([term, meaning]);
  }
  return items.flatMap(([term, meaning]) => item(bold(term), escaped(meaning)));
}
