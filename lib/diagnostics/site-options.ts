/** The options of a route for operators: which field counts, and where it comes from. */
import type { SiteFields, Site } from '../core/routing/site.ts';
import { isOfThePath, makeSite, fieldFault } from '../sites/site.ts';
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
 * @param config the default options of frontends
 * @throws EditorError
 */
export async function siteOptions(
  editor: RouteEditor,
  key: string,
  config: SiteFields | undefined,
): Promise<SiteOptions> {
  const { host, prefix } = splitKey(key);
  const [all, own, under] = (await editor.sides('options', ['*', host, key])).map(hashOf);
  const site = makeSite({ config, all, host: own, prefix: prefix === '' ? undefined : under });
  const layers: readonly (readonly [from: string, layer: SiteFields | undefined])[] = [
    [editor.metadataKey('options', key), under],
    ...(prefix === '' ? [] : [[editor.metadataKey('options', host), withoutPath(own)] as const]),
    [editor.metadataKey('options', '*'), all],
    ['configuration', config],
  ];
  const views = [...site.fields].map(([field, value]): OptionView => {
    const from = layers.find(([, layer]) => layer?.get(field) === value && fieldFault(field, value) === null);
    return { field, value, from: from?.[0] ?? '' };
  });
  return { site, views };
}

/** Content that cannot be read as a hash counts as empty. */
function hashOf({ type, holds }: StoredValue): SiteFields {
  return fieldsOf(type === 'hash' ? holds : []);
}

function withoutPath(fields: SiteFields | undefined): SiteFields {
  return new Map([...(fields ?? [])].filter(([field]) => !isOfThePath(field)));
}
