/** A reporter of node:test that says only what failed: `test.mjs` ends with it, where a long log is looked at first. */

/** Whether a failure is only that of tests inside, which are reported themselves. */
const isOfTestsInside = (error) => error?.failureType === 'subtestsFailed';

export default async function* failures(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || isOfTestsInside(data.details.error)) {
      continue;
    }
    const error = data.details.error.cause ?? data.details.error;
    yield `not ok: ${data.name}\n  ${data.file}:${data.line}\n  ${String(error.stack ?? error).replaceAll('\n', '\n  ')}\n`;
  }
}
