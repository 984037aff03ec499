/** How short names are completed: `search` and `ndots` of resolv.conf(5). Kubernetes relies on it. */
export interface SearchList {
  readonly domains: readonly string[];
  /** A name with so many dots is asked for as it is first. */
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

/** The names to ask for, in order. A dot at the end says that a name is complete. */
export function searched(name: string, { domains, ndots }: SearchList): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const completed = domains.map((domain) => `${name}.${domain}`);
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [name, ...completed] : [...completed, name];
}
