/** The operator's log for a person at a terminal: time, level, message, and what the message does not say already. */

/** Terminals' ways to write what follows (ECMA-48 SGR). */
const PLAIN = '\u001b[0m';
const FAINT = '\u001b[2m';
const COLOURS: Readonly<Record<string, string>> = {
  debug: FAINT,
  info: '\u001b[32m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
  fatal: '\u001b[1;31m',
};
/** The longest name of a level. */
const LEVEL_LENGTH = 5;

/**
 * A line of text for a line of JSON as the log has it. Nothing in it can move a terminal's cursor or fake a second line,
 * whoever sent it.
 */
export function textLine(json: string, hasColours: boolean): string {
  const { time, level, msg, event, pid, ...others } = JSON.parse(json) as Record<string, unknown>;
  const message = typeof msg === 'string' ? msg : '';
  const unsaid = Object.entries({ ...others, pid }).filter(([, value]) => value !== null && !isSaid(value, message));
  // Its name is what documents and alerts go by, even where the message has the same word.
  const fields = event === undefined ? unsaid : [['event', event] as const, ...unsaid];
  const name = visible(String(level)).padEnd(LEVEL_LENGTH);
  const rest = fields.map(([key, value]) => ` ${visible(key)}=${valueText(value)}`).join('');
  const start = `${clock(new Date(String(time)))} `;
  if (!hasColours) return `${start}${name} ${visible(message)}${rest && ` ${rest}`}\n`;
  const colour = COLOURS[String(level)] ?? PLAIN;
  return `${start}${colour}${name}${PLAIN} ${visible(message)}${rest && `${FAINT} ${rest}${PLAIN}`}\n`;
}

/** Local time, to the millisecond. */
function clock(date: Date): string {
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map((n) =>
    String(n).padStart(2, '0'),
  );
  return `${hours}:${minutes}:${seconds}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** Whether a value stands in the message as a word of its own: `1` is not said by `10.0.0.1`. */
function isSaid(value: unknown, message: string): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every((item) => isSaid(item, message));
  if (typeof value !== 'string' && typeof value !== 'number') return false;
  const word = String(value);
  if (word === '') return false;
  for (let at = message.indexOf(word); at >= 0; at = message.indexOf(word, at + 1)) {
    const isBegun = at === 0 || /[\s("]/.test(message.charAt(at - 1));
    if (isBegun && /^[,.:;)"]*(?:\s|$)/.test(message.slice(at + word.length))) return true;
  }
  return false;
}

/** In quotes where it could be taken for something else. */
function valueText(value: unknown): string {
  // The stack names the error too, and whoever reports it needs all of it.
  const { stack } = Object(value) as { readonly stack?: unknown };
  const shown = typeof stack === 'string' ? stack : value;
  const text = typeof shown === 'string' && /^[^\s"'=\\]+$/.test(shown) ? shown : JSON.stringify(shown);
  return visible(text);
}

/** Control characters, marks that turn the direction of writing, and whatever else has no shape, as their numbers. */
function visible(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => {
    const code = char.codePointAt(0) ?? 0;
    if (code === 0x0a) return String.raw`\n`;
    return code < 0x100 ? String.raw`\x${code.toString(16).padStart(2, '0')}` : String.raw`\u{${code.toString(16)}}`;
  });
}
