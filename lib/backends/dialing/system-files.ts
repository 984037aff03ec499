/** The system's files about names: parsed, and read again when they have changed. */
import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';

/**
 * A file of the system's, `/etc/hosts` for one, read again when it has changed. It is looked at on each call, without
 * one of the threads that a slow disk could keep busy: that takes some microseconds, and connections are made rarely.
 */
export class SystemFile<T> {
  readonly #path: string;
  readonly #parse: (text: string) => T;
  #value: T;
  #version = '';

  /** @param parse never throws; a file that cannot be read is an empty one */
  constructor(path: string, parse: (text: string) => T) {
    this.#path = path;
    this.#parse = parse;
    this.#value = parse('');
  }

  read(): T {
    const version = versionOf(this.#path);
    if (version !== this.#version) {
      this.#value = this.#parse(textOf(this.#path));
      this.#version = version;
    }
    return this.#value;
  }
}

function versionOf(path: string): string {
  try {
    const { mtimeNs, ctimeNs, size, ino } = statSync(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return '';
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Parses `/etc/hosts` (hosts(5)): the addresses of each name, in lower case, in the order of the file. */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const known = hosts.get(name.toLowerCase());
      if (known === undefined) hosts.set(name.toLowerCase(), [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }
  return hosts;
}

/** How short names are completed: `search` and `ndots` of resolv.conf(5). Kubernetes relies on it. */
export interface SearchList {
  readonly domains: readonly string[];
  /** A name with this many dots is first queried unchanged. */
  readonly ndots: number;
}

const MAX_DOMAINS = 32;

/** Reads `/etc/resolv.conf`. The last `search` or `domain` counts. */
export function parseSearch(text: string): SearchList {
  let domains: readonly string[] = [];
  let ndots = 1;
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === 'search') domains = words.slice(0, MAX_DOMAINS);
    else if (keyword === 'domain') domains = words.slice(0, 1);
    else if (keyword === 'options') {
      for (const word of words) ndots = Number(/^ndots:(\d{1,2})$/.exec(word)?.[1] ?? ndots);
    }
  }
  return { domains: domains.map((domain) => domain.replace(/^\.|\.$/g, '')).filter((domain) => domain !== ''), ndots };
}

/** The names to query, in order. A trailing dot marks a complete name. */
export function searched(name: string, { domains, ndots }: SearchList): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const completed = domains.map((domain) => `${name}.${domain}`);
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [name, ...completed] : [...completed, name];
}
