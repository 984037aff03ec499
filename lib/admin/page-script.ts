/** Joins the compiled modules of the dashboard into one script, because its page loads no other file. */

/** The compiler writes each import and export at the start of a line. */
const IMPORT = /^import (?:(\{[^}]*\}) from )?'\.\/([\w-]+\.js)';\n/gm;
const EXPORT = /^export (?=(?:async function|function|class|const) (\w+))/gm;
const NO_EXPORT = /^export \{\};\n/gm;
const SOURCE_MAP = /^\/\/# sourceMappingURL=.*\n?/gm;
/** An import or export that the patterns above do not match. */
const LEFT = /^(?:import|export)\b.*/m;

/**
 * A script that runs a module after those that it imports. Each module becomes a function that returns its exports, so
 * that it keeps a scope of its own.
 * @param entry the file name of the module
 * @param read returns the text of a compiled module of the same folder
 * @throws when modules import each other in a circle, or have an import or export of another form
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
