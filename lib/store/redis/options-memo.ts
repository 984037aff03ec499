import { LRUCache } from 'lru-cache';
import { NO_SITE, type SiteFields, type Site } from '../../core/routing/site.ts';
import { makeSite, fieldFault } from '../../sites/site.ts';
import { fieldsOf } from '../fields.ts';

/** How many frontends' parsed options are kept. */
const MAX_KNOWN = 2_000;

/** Parsed options, so that unchanged fields are not parsed at every lookup. */
export class OptionsMemo {
  readonly #config: SiteFields | undefined;
  readonly #usual: Site;
  readonly #onFault: (key: string, fault: string) => void;
  readonly #known = new LRUCache<string, { readonly text: string; readonly options: Site }>({ max: MAX_KNOWN });

  /**
   * @param config the default options of frontends
   * @param onFault called when fields that cannot be used are parsed: `options:<key>` and why
   */
  constructor(config: SiteFields | undefined, onFault: (key: string, fault: string) => void) {
    this.#config = config;
    this.#usual = config === undefined ? NO_SITE : makeSite({ config });
    this.#onFault = onFault;
  }

  /**
   * A route's options. All hashes are fields and values in turn.
   * @param key of the host
   * @param own the prefix's options, if the route has a prefix
   */
  read(
    key: string,
    prefix: string,
    all: readonly string[],
    host: readonly string[],
    own: readonly string[] = [],
  ): Site {
    if (all.length + host.length + own.length === 0) return this.#usual;
    const text = JSON.stringify([all, host, own]);
    const known = this.#known.get(key + prefix);
    if (known?.text === text) return known.options;
    this.#report('*', all);
    this.#report(key, host);
    this.#report(key + prefix, own);
    const options = makeSite({
      config: this.#config,
      all: fieldsOf(all),
      host: fieldsOf(host),
      prefix: prefix === '' ? undefined : fieldsOf(own),
    });
    this.#known.set(key + prefix, { text, options });
    return options;
  }

  #report(key: string, flat: readonly string[]): void {
    for (const [field, text] of fieldsOf(flat)) {
      const fault = fieldFault(field, text);
      if (fault !== null) this.#onFault(`options:${key}`, `field ${JSON.stringify(field)}: ${fault}; it is ignored`);
    }
  }
}
