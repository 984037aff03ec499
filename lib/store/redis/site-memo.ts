import { LRUCache } from 'lru-cache';
import { NO_SITE, type SiteFields, type Site } from '../../core/routing/site.ts';
import { hashFault, SITE_HASHES } from '../../sites/hashes.ts';
import { fieldFault, layerOf, makeSite, type SiteSettings } from '../../sites/site.ts';
import { fieldsOf } from '../fields.ts';
import { type FlatHashes, NO_HASHES } from './site-metadata.ts';

/** Frontends whose sites are kept as they were read, and characters of all their fields. */
const MAX_KNOWN = 2_000;
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** Sites as they were read the last time: the same fields, seen at every lookup, are not read at every lookup. */
export class SiteMemo {
  readonly #settings: SiteSettings;
  readonly #usual: Site;
  readonly #onFault: (key: string, fault: string) => void;
  readonly #known = new LRUCache<string, { readonly text: string; readonly site: Site }>({
    max: MAX_KNOWN,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: ({ text }) => text.length,
  });

  /**
   * @param onFault told of fields that cannot be used, such as `options:<key>` and why, when they are read
   */
  constructor(settings: SiteSettings, onFault: (key: string, fault: string) => void) {
    const { options: config, features } = settings;
    this.#settings = settings;
    this.#usual = config === undefined ? NO_SITE : makeSite({ config }, features);
    this.#onFault = onFault;
  }

  /**
   * A route's site.
   * @param key of the host
   * @param own of the prefix, where the route has one
   */
  read(key: string, prefix: string, all: FlatHashes, host: FlatHashes, own = NO_HASHES): Site {
    if (all === NO_HASHES && host === NO_HASHES && own === NO_HASHES) return this.#usual;
    const text = JSON.stringify([all, host, own]);
    const known = this.#known.get(key + prefix);
    if (known?.text === text) return known.site;
    this.#report('*', all);
    this.#report(key, host);
    this.#report(key + prefix, own);
    const layers = {
      config: this.#settings.options,
      all: this.#layerIn(all),
      host: this.#layerIn(host),
      prefix: prefix === '' ? undefined : this.#layerIn(own),
    };
    const site = makeSite(layers, this.#settings.features);
    this.#known.set(key + prefix, { text, site });
    return site;
  }

  #report(key: string, hashes: FlatHashes): void {
    for (const hash of SITE_HASHES) {
      const name = `${hash}:${key}`;
      const fields = fieldsOf(hashes[hash]);
      const whole = hashFault(hash, fields);
      if (whole !== null) this.#onFault(name, `${whole}; it is ignored`);
      for (const [field, text] of fields) {
        const fault = fieldFault(field, text, hash, this.#settings.features);
        if (fault !== null) this.#onFault(name, `field ${JSON.stringify(field)}: ${fault}; it is ignored`);
      }
    }
  }

  #layerIn(hashes: FlatHashes): SiteFields | undefined {
    return layerOf(
      Object.fromEntries(SITE_HASHES.map((hash) => [hash, fieldsOf(hashes[hash])])),
      this.#settings.features,
    );
  }
}
