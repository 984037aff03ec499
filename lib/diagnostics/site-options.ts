/** The options, header fields and weights of a route for operators: which field counts, and where it comes from. */
import type { SiteFields, Site } from '../core/routing/site.ts';
import { SITE_HASHES } from '../sites/hashes.ts';
import { hashOfField, isOfThePath, layerOf, makeSite, type SiteSettings } from '../sites/site.ts';
import { splitKey } from '../core/routing/prefixes.ts';
import type { StoredValue, RouteEditor } from '../store/editor/route-editor.ts';
import { fieldsOf } from '../store/fields.ts';
import type { OptionView } from './explanation.ts';

/** The options that count for a route. */
export interface SiteOptions {
  readonly site: Site;
  readonly views: readonly OptionView[];
}

/**
 * The options that count for a route.
 * @param key the matched key, with its prefix
 * @param settings of the router
 * @throws EditorError
 */
export async function siteOptions(
  editor: RouteEditor,
  key: string,
  { options: config, features }: SiteSettings,
): Promise<SiteOptions> {
  const { host, prefix } = splitKey(key);
  const keys = ['*', host, key];
  const held = await Promise.all(SITE_HASHES.map(async (hash) => [hash, await editor.sides(hash, keys)] as const));
  const [all, own, under] = keys.map((_, i) =>
    layerOf(Object.fromEntries(held.map(([hash, values]) => [hash, hashOf(values[i])])), features),
  );
  const site = makeSite({ config, all, host: own, prefix: prefix === '' ? undefined : (under ?? new Map()) }, features);
  const layers: readonly Layer[] = [
    [key, under],
    ...(prefix === '' ? [] : [[host, withoutPath(own)] as const]),
    ['*', all],
  ];
  const views = [...site.fields].map(([field, value]): OptionView => {
    const from = layers.find(([, layer]) => layer?.get(field) === value);
    return {
      field,
      value,
      from: from === undefined ? 'configuration' : editor.metadataKey(hashOfField(field), from[0]),
    };
  });
  return { site, views };
}

/** The fields of the hashes of a key. Content that cannot be read as a hash counts as empty. */
type Layer = readonly [key: string, layer: SiteFields | undefined];

/** Content that cannot be read as a hash counts as empty. */
function hashOf(held: StoredValue | undefined): SiteFields | undefined {
  return held?.type === 'hash' ? fieldsOf(held.holds) : undefined;
}

function withoutPath(fields: SiteFields | undefined): SiteFields {
  return new Map([...(fields ?? [])].filter(([field]) => !isOfThePath(field)));
}
