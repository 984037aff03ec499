/** Joins the compiled modules of the dashboard into one script: the page that has it loads no other file. */

/** The compiler writes imports and exports at the start of lines. */
const IMPORT = /^import (?:(\{[^}]*\}) from )?'\.\/([\w-]+\.js)';\n/gm;
const EXPORT = /^export (?=(?:async function|function|class|const) (\w+))/gm;
const NO_EXPORT = /^export \{\};\n/gm;
const SOURCE_MAP = /^\/\/# sourceMappingURL=.*\n?/gm;
/** What is left of an import or export that the patterns above do not match. */
const LEFT = /^(?:import|export)\b.*/m;

/**
 * The script that runs a module, after those that it imports. Each becomes a function that returns its exports, so that
 * it has a scope of its own, as a module has.
 * @param entry the file name of the module
 * @param read the text of a compiled module of the same folder
 * @throws when modules import each other in a circle; when a module imports or exports in a form that is not known here
 */
export function joinModules(entry: string, read: (name: string) => string): string {
  const functions = new Map<string, string>();

  const add = (name: string, importers: readonly string[]): void => {
    if (importers.includes(name)) throw new Error(`${[...importers, name].join(' imports ')}: a circle`);
    if (functions.has(name)) return;
    const text = read(name);
    for (const [, , imported = ''] of text.matchAll(IMPORT)) add(imported, [...importers, name]);
    functions.set(name, asFunction(name, text));
  };

  add(entry, []);
  return `(() => {\n'use strict';\nconst modules = {};\n${[...functions.values()].join('')}})();\n`;
}

function asFunction(name: string, text: string): string {
  const exports = [...text.matchAll(EXPORT)].map(([, exported = '']) => exported);
  const body = text
    .replaceAll(IMPORT, (_line, names: string | undefined, from: string) =>
      names === undefined ? '' : `const ${names.replaceAll(' as ', ': ')} = modules['${from}'];\n`,
    )
    .replaceAll(EXPORT, '')
    .replaceAll(NO_EXPORT, '')
    .replaceAll(SOURCE_MAP, '');
  const left = LEFT.exec(body);
  if (left !== null) throw new Error(`${name}: "${left[0]}" cannot be joined`);
  return `modules['${name}'] = (() => {\n${body}return { ${exports.join(', ')} };\n})();\n`;
}
