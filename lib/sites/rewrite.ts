/** `strip`, `prepend` and `rewrite`: the path that backends get. `mapBack`: their own addresses as clients see them. */
import { pathOf } from '../core/routing/prefixes.ts';
import type { ResponseScene } from '../core/routing/site.ts';
import { flag } from './field-readers.ts';
import { siteFeature } from './feature.ts';
import { mapCookie, mapLocation } from './map-back.ts';
import { type PathPattern, readPattern } from './path-pattern.ts';
import { type PathRewrite, rewriteFault, rewritePath } from './path-rewrite.ts';

interface Settings extends PathRewrite {
  readonly mapBack: boolean;
}

/** The features `strip`, `prepend`, `rewrite` and `mapBack`. */
export const rewrite = siteFeature<Settings>({
  fields: {
    strip: flag((strip) => ({ strip })),
    prepend: readPrepend,
    rewrite: readRewrite,
    mapBack: flag((mapBack) => ({ mapBack })),
  },
  ofThePath: ['strip', 'prepend', 'rewrite'],
  defaults: { strip: false, prepend: '', pattern: null, mapBack: false },
  behaviour: (settings) => {
    const { strip, prepend, pattern, mapBack } = settings;
    const isRewriting = strip || prepend !== '' || pattern !== null;
    return {
      mayServeFast: (_host, _scheme, target) => !mapBack && rewriteFault(settings, target) === null,
      admit: ({ path }) => {
        const error = rewriteFault(settings, path);
        return error && { type: 'refused', error };
      },
      ...(isRewriting ? { target: (target, prefix) => rewritePath(settings, prefix, target) } : {}),
      pathInFolder: (target, prefix) => pathBelow(settings, target, prefix),
      ...(mapBack ? { response: (fields, scene) => mapFields(fields, settings, scene) } : {}),
    };
  },
  idle: (used) => {
    const fields = ['strip', 'prepend'].filter((field) => used.has(field));
    if (!used.has('rewrite') || fields.length === 0) return null;
    const named = fields.map((field) => `"${field}"`).join(' and ');
    return { fields, text: `${named} next to "rewrite", which replaces both` };
  },
});

/** The prefix is the folder, with `prepend` below it; where a pattern matches, its replacement is the path. */
function pathBelow({ prepend, pattern }: PathRewrite, target: string, prefix: string): string {
  const path = pathOf(target);
  const replaced = pattern?.apply(path) ?? null;
  if (replaced !== null) return pathOf(replaced);
  const rest = path.slice(prefix.length);
  return pattern === null ? prepend + rest : rest;
}

function mapFields(fields: readonly string[], settings: PathRewrite, scene: ResponseScene): readonly string[] {
  const { backend } = scene;
  if (backend === null) return fields;
  const by = { ...scene, backend, rewrite: settings };
  return fields.map((text, i) => {
    if (i % 2 === 0) return text;
    switch (fields[i - 1]?.toLowerCase()) {
      case 'location':
      case 'content-location':
        return mapLocation(text, by);
      case 'set-cookie':
        return mapCookie(text, by);
      default:
        return text;
    }
  });
}

function readPrepend(text: string): Partial<Settings> | string {
  if (!/^\/[!"$->@-~]*$/.test(text)) return 'it must be a path that starts with "/", without "?" and "#"';
  return { prepend: text.replace(/\/$/, '') };
}

function readRewrite(text: string): { readonly pattern: PathPattern } | string {
  const [, source = '', replacement = ''] = /^(\S+)\s+(\S+)$/.exec(text) ?? [];
  if (source === '') return 'it must be a pattern, a space, and a replacement';
  const pattern = readPattern(source, replacement);
  return typeof pattern === 'string' ? pattern : { pattern };
}
