/** The options of a route as an operator sees them: which field counts, and where it comes from. */
import { type OptionFields, isOfThePath, mergeOptions, optionFault, type RouteOptions } from '../core/options.ts';
import { splitKey } from '../core/prefixes.ts';
import type { Held, RouteBook } from '../store/book.ts';
import { fieldsOf } from '../store/fields.ts';
import type { OptionView } from './explanation.ts';

export interface SiteOptions {
  readonly options: RouteOptions;
  readonly views: readonly OptionView[];
}

/**
 * What counts for a route.
 * @param key that it matched, with its prefix
 * @param config the options of frontends that say nothing else
 * @throws BookError
 */
export async function siteOptions(
  book: RouteBook,
  key: string,
  config: OptionFields | undefined,
): Promise<SiteOptions> {
  const { host, prefix } = splitKey(key);
  const [all, own, under] = (await book.sides('options', ['*', host, key])).map(hashOf);
  const options = mergeOptions({ config, all, host: own, prefix: prefix === '' ? undefined : under });
  const layers: readonly (readonly [from: string, layer: OptionFields | undefined])[] = [
    [book.sideName('options', key), under],
    ...(prefix === '' ? [] : [[book.sideName('options', host), withoutPath(own)] as const]),
    [book.sideName('options', '*'), all],
    ['configuration', config],
  ];
  const views = [...options.fields].map(([field, value]): OptionView => {
    const from = layers.find(([, layer]) => layer?.get(field) === value && optionFault(field, value) === null);
    return { field, value, from: from?.[0] ?? '' };
  });
  return { options, views };
}

/** What cannot be read as a hash is none. */
function hashOf({ type, holds }: Held): OptionFields {
  return fieldsOf(type === 'hash' ? holds : []);
}

function withoutPath(fields: OptionFields | undefined): OptionFields {
  return new Map([...(fields ?? [])].filter(([field]) => !isOfThePath(field)));
}
