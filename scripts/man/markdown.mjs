/** The Markdown of docs/ as man(7): headings, paragraphs, lists, tables, fenced blocks. Tables become lists of terms. */
import { bold, escaped, item, line, section, subsection, verbatim } from './roff.mjs';

/** @param skip titles of sections to leave out. @param renamed other titles, by those in the document */
export function markdownToMan(markdown, { skip = [], renamed = {} } = {}) {
  const out = [];
  // Up to the first section: see `introduction`.
  let isSkipped = true;
  for (const block of blocksOf(markdown)) {
    const [, marks, title] = /^(#+) (.*)$/.exec(block[0]) ?? [];
    if (title !== undefined) {
      isSkipped = skip.includes(title) || marks === '#';
      const words = renamed[title] ?? title;
      if (!isSkipped) out.push(...(marks === '##' ? section(words) : subsection(words)));
    } else if (!isSkipped) out.push(...blockToMan(block));
  }
  return out;
}

/** The text before the first section, without the title. */
export function introduction(markdown) {
  const [, text] = /^# [^\n]*\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(markdown) ?? [];
  return blocksOf(text ?? '').flatMap(blockToMan);
}

/** Groups of lines that belong together: a paragraph, a list, a table, a fenced block, or a heading. */
function blocksOf(markdown) {
  const blocks = [];
  let current = [];
  let isFenced = false;
  const end = () => {
    if (current.length > 0) blocks.push(current);
    current = [];
  };
  for (const text of markdown.split('\n')) {
    if (text.startsWith('```')) {
      if (!isFenced) end();
      current.push(text);
      isFenced = !isFenced;
      if (!isFenced) end();
    } else if (isFenced) current.push(text);
    else if (text === '') end();
    else if (text.startsWith('#')) {
      end();
      blocks.push([text]);
    } else {
      if (/^(?:[-|]|[0-9]+\.)/.test(text) && !/^(?:[-|]|[0-9]+\.)/.test(current[0] ?? '-')) end();
      current.push(text);
    }
  }
  end();
  return blocks;
}

function blockToMan(block) {
  const [first] = block;
  if (first.startsWith('```')) return verbatim(block.slice(1, -1));
  if (first.startsWith('|')) return block.slice(2).flatMap((row) => rowToMan(cellsOf(row), cellsOf(first)));
  if (/^(?:- |[0-9]+\. )/.test(first)) return itemsOf(block).flatMap(listItem);
  return ['.PP', line(inline(block.join(' ')))];
}

function itemsOf(lines) {
  const items = [];
  for (const text of lines) {
    if (/^(?:- |[0-9]+\. )/.test(text)) items.push(text);
    else items[items.length - 1] += ` ${text.trim()}`;
  }
  return items;
}

function listItem(text) {
  const [, number] = /^([0-9]+\.) /.exec(text) ?? [];
  return [number === undefined ? '.IP \\(bu 2' : `.IP ${number} 4`, line(inline(text.replace(/^\S+ /, '')))];
}

/** A row as a term, the first cell, and the others as sentences: all with their heading but the last, the meaning. */
function rowToMan([term, ...cells], [, ...headings]) {
  const sentences = cells.map((cell, index) => {
    const heading = headings[index];
    const isMeaning = index === cells.length - 1 && !heading.startsWith('of ');
    return cell === '–' || cell === '' ? '' : sentence(isMeaning ? cell : `${heading}: ${cell}`);
  });
  // Several keys in one cell.
  const terms = /^(?:`[^`]+`, )+`[^`]+`$/.test(term) ? term.split(', ') : [term];
  return item(terms.map(inline), inline(sentences.filter(Boolean).join(' ')));
}

function sentence(text) {
  const whole = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return /[.!?:]$/.test(text) ? whole : `${whole}.`;
}

function cellsOf(row) {
  return row
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** Code in bold; links as their words. */
function inline(text) {
  const words = text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/\*\*([^*]*)\*\*/g, '$1');
  return words
    .split(/(`[^`]+`)/)
    .map((part) => (part.startsWith('`') && part.length > 2 ? bold(part.slice(1, -1)) : escaped(part)))
    .join('');
}
