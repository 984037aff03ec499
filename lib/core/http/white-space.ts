/** White space around a field's value, and between the parts of one: SP and HTAB, and nothing else (RFC 9110 §5.6.3). */

const SPACE = 0x20;
const TAB = 0x09;

export function isWhiteSpace(code: number): boolean {
  return code === SPACE || code === TAB;
}

/**
 * Wire text without the white space around it. `String.prototype.trim` is not for wire text: it also removes U+00A0,
 * which in latin1 is the byte 0xA0, the last one of `à` in UTF-8.
 * @param from where the text begins. @param to where it ends
 */
export function trimmed(text: string, from = 0, to = text.length): string {
  let begin = from;
  let end = to;
  while (begin < end && isWhiteSpace(text.charCodeAt(begin))) begin++;
  while (end > begin && isWhiteSpace(text.charCodeAt(end - 1))) end--;
  return begin === 0 && end === text.length ? text : text.slice(begin, end);
}
