import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

/** Parses YAML 1.2. The package is loaded when a file is YAML: it would make every start of a router slower. */

const require = createRequire(import.meta.url);

/** The text is not YAML. The message has the position (line and column from 1), and never repeats the text. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
}

/** The value of a document in YAML's core schema: strings, numbers, booleans, null, arrays, objects. @throws YamlError */
export function parseYaml(text: string): unknown {
  const { LineCounter, parseDocument } = require('yaml') as typeof Yaml;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  // A warning is an unknown tag or directive.
  const [fault] = [...document.errors, ...document.warnings];
  if (fault) {
    const { line, col } = lines.linePos(fault.pos[0]);
    throw new YamlError(`line ${line}, column ${col}: ${messageOf(fault)}`, { cause: fault });
  }
  try {
    // Aliases of aliases could make a small file a large value: the package refuses more than 100 (maxAliasCount).
    const value: unknown = document.toJS();
    // Throws when an alias is within its own anchor.
    JSON.stringify(value);
    return value;
  } catch (cause) {
    throw new YamlError('has aliases without an anchor, within their own, or too many', { cause });
  }
}

/** The package's message, without the part of the text that some have at their end: it may be a password. */
function messageOf({ code, message }: Yaml.YAMLError): string {
  if (code === 'DUPLICATE_KEY') return 'this key is already given above';
  if (code === 'MULTIPLE_DOCS') return 'expected nothing after the end of the document';
  if (code === 'MISSING_CHAR') return message.replaceAll(/["']/g, '').toLowerCase();
  const words = /^[^:"']*/.exec(message)?.[0].trim() ?? '';
  return words.charAt(0).toLowerCase() + words.slice(1);
}
