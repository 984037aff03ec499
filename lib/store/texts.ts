/** Whether what came from outside, a reply of Redis or parsed JSON, is a list of texts. */
export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'string');
}
