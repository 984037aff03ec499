/** The version of this program, as package.json has it; test/core/version.test.ts holds the two together. */
export const version = '1.0.0';
