/** Formats the operator's log for a terminal: time, level, message, and fields that the message does not contain. */

/** ECMA-48 SGR sequences. */
const PLAIN = '\u001b[0m';
const FAINT = '\u001b[2m';
const COLOURS: Readonly<Record<string, string>> = {
  debug: FAINT,
  info: '\u001b[32m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
  fatal: '\u001b[1;31m',
};
/** The length of the longest level name. */
const LEVEL_LENGTH = 5;

/**
 * Formats a JSON log line as text. Control characters in it are escaped, so that no sender of a value can move the
 * terminal's cursor or fake a second line.
 */
export function textLine(json: string, hasColours: boolean): string {
  const { time, level, msg, event, pid, ...others } = JSON.parse(json) as Record<string, unknown>;
  const message = typeof msg === 'string' ? msg : '';
  const unsaid = Object.entries({ ...others, pid }).filter(([, value]) => value !== null && !isSaid(value, message));
  // Documents and alerts refer to the event name, so it is always shown.
  const fields = event === undefined ? unsaid : [['event', event] as const, ...unsaid];
  const name = visible(String(level)).padEnd(LEVEL_LENGTH);
  const rest = fields.map(([key, value]) => ` ${visible(key)}=${valueText(value)}`).join('');
  const start = `${clock(new Date(String(time)))} `;
  if (!hasColours) return `${start}${name} ${visible(message)}${rest && ` ${rest}`}\n`;
  const colour = COLOURS[String(level)] ?? PLAIN;
  return `${start}${colour}${name}${PLAIN} ${visible(message)}${rest && `${FAINT} ${rest}${PLAIN}`}\n`;
}

/** Local time with milliseconds. */
function clock(date: Date): string {
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map((n) =>
    String(n).padStart(2, '0'),
  );
  return `${hours}:${minutes}:${seconds}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** Whether the message contains a value as a word: `10.0.0.1` does not contain `1`. */
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

/** Quoted where it would be ambiguous. */
function valueText(value: unknown): string {
  // The stack contains the error's name and is needed for a bug report.
  const { stack } = Object(value) as { readonly stack?: unknown };
  const shown = typeof stack === 'string' ? stack : value;
  const text = typeof shown === 'string' && /^[^\s"'=\\]+$/.test(shown) ? shown : JSON.stringify(shown);
  return visible(text);
}

/** Escapes control characters, bidirectional marks, and other invisible characters. */
function visible(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => {
    const code = char.codePointAt(0) ?? 0;
    if (code === 0x0a) return String.raw`\n`;
    return code < 0x100 ? String.raw`\x${code.toString(16).padStart(2, '0')}` : String.raw`\u{${code.toString(16)}}`;
  });
}
