/** Whether a value from outside, a reply of Redis or parsed JSON, is an array of strings. */
export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'string');
}
