import { parseJson } from './json.ts';
import { parseYaml } from './yaml.ts';

/** Whether a file is YAML by its name; others are JSON. */
function isYaml(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}

/**
 * The value in a file's text: YAML, or JSON with comments.
 * @throws JsonError or YamlError with the position
 */
export function parseDocument(path: string, text: string): unknown {
  return isYaml(path) ? parseYaml(text) : parseJson(text);
}
