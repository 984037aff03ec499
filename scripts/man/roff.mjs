/** Text in the language of manual pages, man(7): macros that groff and mandoc both have. */

/** Text without macros. Signs beyond ASCII as escapes, since not every system reads pages as UTF-8. */
export function escaped(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll('…', '...')
    .replaceAll(/[^\t -~]/gu, (sign) => `\\[u${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}]`);
}

export const bold = (text) => `\\fB${escaped(text)}\\fR`;

/** A line of text that is not taken for a macro. */
export function line(text) {
  return /^[.']/.test(text) ? `\\&${text}` : text;
}

/** Lines as they are, indented. */
export function verbatim(lines) {
  return ['.PP', '.in +4', '.nf', ...lines.map((each) => line(escaped(each))), '.fi', '.in'];
}

/** A term, or several with one meaning, one on each line, and what they mean. */
export function item(terms, meaning) {
  return [...[terms].flat().flatMap((term, index) => [index === 0 ? '.TP' : '.TQ', line(term)]), line(meaning)];
}

export function section(title) {
  return [`.SH ${escaped(title).toUpperCase()}`];
}

export function subsection(title) {
  return [`.SS ${escaped(title)}`];
}

/** The head of a page. @param date ISO 8601, of day */
export function head({ name, section: number, date, version, title, summary }) {
  return [
    `.TH ${escaped(name.toUpperCase())} ${number} ${date} "hipache ${version}" "${title}"`,
    '.nh',
    '.ad l',
    '.SH NAME',
    `${escaped(name)} \\- ${escaped(summary)}`,
  ];
}

/** The text of a page. A paragraph needs no macro after a heading; lines are short, for those who read the source. */
export function page(lines) {
  const kept = lines.filter((each, index) => each !== '.PP' || !/^\.S[HS] /.test(lines[index - 1] ?? ''));
  let isVerbatim = false;
  const out = kept.flatMap((each) => {
    if (each === '.nf' || each === '.fi') isVerbatim = each === '.nf';
    return isVerbatim || /^\.[A-Z]/.test(each) ? [each] : wrapped(each);
  });
  return `${out.join('\n')}\n`;
}

const MOST_BYTES = 80;

function wrapped(text) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= MOST_BYTES) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(line(word));
  }
  return lines;
}
