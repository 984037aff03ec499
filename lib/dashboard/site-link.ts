/** The links of frontends' pages: `#/www.example.com/path`. No id of an element begins with a slash. */

/** A host, and the path of a request. */
export interface SiteLink {
  readonly host: string;
  readonly path: string;
}

/** @param path begins with a slash */
export function linkTo(host: string, path = '/'): string {
  return `#/${encodeURIComponent(host)}${path === '/' ? '' : encodeURI(path).replaceAll('#', '%23')}`;
}

/** The link of a frontend, by its key: of a host that a wildcard matches, and of a key's path. */
export function linkToKey(key: string): string {
  const slash = key.indexOf('/');
  const host = slash < 0 ? key : key.slice(0, slash);
  return linkTo(hostFor(host), slash < 0 ? '/' : key.slice(slash));
}

/** A wildcard itself is not a host. */
function hostFor(key: string): string {
  if (key === '*') return 'any.invalid';
  return key.startsWith('*.') ? `any${key.slice(1)}` : key;
}

/** Reads the part of an address behind its `#`; null when it is another link. */
export function readLink(hash: string): SiteLink | null {
  const [, host = '', path = ''] = /^#\/([^/]+)(\/.*)?$/.exec(hash) ?? [];
  if (host === '') return null;
  try {
    return { host: decodeURIComponent(host), path: path === '' ? '/' : decodeURI(path).replaceAll('%23', '#') };
  } catch {
    // Not one of ours: it has an invalid percent-encoding.
    return null;
  }
}
