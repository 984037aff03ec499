/** How a line of the access log is composed. */

/** What a line can say. Times are seconds, sizes bytes; what is missing is a dash. */
export const ACCESS_FIELDS = [
  'client',
  'time',
  'isoTime',
  'request',
  'method',
  'target',
  'version',
  'status',
  'bytes',
  'referer',
  'agent',
  'host',
  'site',
  'backend',
  'total',
  'backendTime',
] as const;

export type AccessField = (typeof ACCESS_FIELDS)[number];

/** A literal text, or a field. */
export type AccessPart = { readonly text: string } | { readonly field: AccessField };

/** `hipache` is the default; `combined` is nginx's and Apache's; `json` has every field, an object a line. */
export type AccessFormat = 'hipache' | 'json' | readonly AccessPart[];

const COMBINED = '{client} - - [{time}] "{request}" {status} {bytes} "{referer}" "{agent}"';

/**
 * Reads a format: one of the names, or a text with `{fields}`.
 * @throws Error with the end of a sentence that begins with the key
 */
export function readAccessFormat(format: string): AccessFormat {
  switch (format) {
    case 'hipache':
    case 'json':
      return format;
    case 'combined':
      return parts(COMBINED);
    default:
      if (!format.includes('{')) throw new Error('must be "hipache", "combined", "json" or a text with {fields}');
      // oxlint-disable-next-line no-control-regex -- a line must stay one line
      if (/[\0-\u001f\u007f]/.test(format)) throw new Error('must have no control characters');
      return parts(format);
  }
}

function parts(template: string): readonly AccessPart[] {
  const found: AccessPart[] = [];
  // Odd elements were in braces.
  for (const [index, piece] of template.split(/\{([A-Za-z]+)\}/).entries()) {
    if (index % 2 === 1) found.push({ field: fieldOf(piece) });
    else if (piece !== '') found.push({ text: piece });
  }
  return found;
}

function fieldOf(name: string): AccessField {
  const field = ACCESS_FIELDS.find((each) => each === name);
  if (field === undefined) throw new Error(`knows no field {${name}}; there are ${ACCESS_FIELDS.join(', ')}`);
  return field;
}
