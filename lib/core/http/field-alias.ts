// What a CGI program's variable would have in its place is '_' (RFC 3875 §4.1.18). For '-' it is so everywhere;
// lighttpd does the same to every other sign, and PHP to the dot.
const SIGN = /[^a-z0-9]/g;
const HAS_ODD_SIGN = /[^a-z0-9-]/;

/**
 * The name that CGI programs, and what is made like them, cannot tell this one from: `x_request-id` is `x-request-id`. Most names
 * are their own.
 */
export function aliasedName(lowerName: string): string {
  return HAS_ODD_SIGN.test(lowerName) ? lowerName.replaceAll(SIGN, '-') : lowerName;
}
