/** A reporter of node:test for the pool of `test.mjs`: one line of JSON for each test that began, passed or failed. */

export default async function* records(events) {
  for await (const { type, data } of events) {
    const record = recordOf(type, data);
    if (record !== null) yield `${JSON.stringify(record)}\n`;
  }
}

function recordOf(type, data) {
  const { name } = data;
  if (type === 'test:dequeue') return { type: 'began', name };
  if (type !== 'test:pass' && type !== 'test:fail') return null;
  const isSuite = data.details.type === 'suite';
  if (type === 'test:pass' || data.todo !== undefined) {
    return { type: 'passed', name, isSuite, isSkipped: data.skip !== undefined };
  }
  return { type: 'failed', name, isSuite, text: textOf(data) };
}

/** Null for a failure that is only that of tests inside: these are reported themselves. */
function textOf({ name, file, line, details: { error } }) {
  if (error.failureType === 'subtestsFailed') return null;
  const cause = error.cause ?? error;
  return `not ok: ${name}\n  ${file}:${line}\n  ${String(cause.stack ?? cause).replaceAll('\n', '\n  ')}`;
}
