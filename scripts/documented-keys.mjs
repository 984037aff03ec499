/** What the tables of the documents say of each key, as text without markup. One source for editors and manual pages. */
import { readFileSync } from 'node:fs';

const read = (name) => readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8');

/**
 * By a key's path, as docs/configuration.md writes it (`https.bind[].key`, `options.hsts`): its default and its meaning,
 * in Markdown.
 */
export function documentedKeys() {
  const keys = new Map();
  for (const [names, byDefault, meaning] of rowsOf(read('configuration.md'), 'key', 'default')) {
    for (const name of codesOf(names)) keys.set(name, { byDefault, meaning });
  }
  for (const [names, example, effect] of rowsOf(read('sites.md'), 'field', 'value')) {
    for (const name of codesOf(names))
      keys.set(`options.${name}`, { byDefault: '–', meaning: `${effect}. Example: ${example}` });
  }
  return keys;
}

/** Markdown as plain text: links as their words, code without backticks. */
export function plainText(markdown) {
  const text = markdown.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '');
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return `${line.charAt(0).toUpperCase()}${line.slice(1)}${/[.!?]$/.test(line) ? '' : '.'}`;
}

/** The rows of the table whose head begins with these two cells. */
export function rowsOf(markdown, first, second) {
  const lines = markdown.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${first} | ${second} |`));
  if (start < 0) throw new Error(`no table with ${first} and ${second}`);
  const rows = lines.slice(start + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end < 0 ? undefined : end).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** What is between backticks, in order. */
export function codesOf(markdown) {
  return [...markdown.matchAll(/`([^`]+)`/g)].map(([, code]) => code);
}
