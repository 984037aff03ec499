const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Whether a text is a token, as names of fields and cookies are (RFC 9110 §5.6.2, RFC 6265 §4.1.1). */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}
