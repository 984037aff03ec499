/**
 * Writes config/schema.json, the JSON Schema of the configuration, from the program's own schema and the words of
 * docs/configuration.md: `npm run schema`, after a build. A test holds it to both.
 */
import { writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { fileType } from '../dist/lib/config/file-type.js';
import { documentedKeys, plainText } from './documented-keys.mjs';

const file = fileURLToPath(new URL('../config/schema.json', import.meta.url));

/** The text of config/schema.json. */
export function configSchema() {
  const documented = documentedKeys();
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of hipache',
    // For editors: the router's JSON may have both.
    allowComments: true,
    allowTrailingCommas: true,
    ...described(fileType(), '', documented),
  };
  schema.properties = { $schema: { type: 'string' }, ...schema.properties };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** A type with the words of the documents, and so what is in it. */
function described(type, place, documented) {
  const { properties, items, anyOf, ...rest } = type;
  const words = documented.get(place);
  return {
    ...(words && { description: plainText(words.meaning) }),
    ...rest,
    ...(anyOf && { anyOf: anyOf.map((each) => described(each, `${place}\0`, documented)) }),
    ...(items && { items: described(items, `${place.replace('\0', '')}[]`, documented) }),
    ...(properties && { properties: mapEntries(properties, place.replaceAll('\0', ''), documented) }),
  };
}

function mapEntries(properties, place, documented) {
  return Object.fromEntries(
    Object.entries(properties).map(([key, type]) => {
      const inner = place === '' ? key : `${place}.${key}`;
      // One object in place of a list of them.
      const known = documented.has(inner) ? inner : inner.replace(/^(https?\.bind)\./, '$1[].');
      return [key, described(type, known, documented)];
    }),
  );
}

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file, configSchema());
