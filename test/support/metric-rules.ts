/** The rules of Prometheus for names and labels of metrics, as `promtool check metrics` has them. */

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: ReadonlySet<string>;
}

/** Units that are not Prometheus's base units, and what to use instead. */
const OTHER_UNITS: Readonly<Record<string, string>> = {
  milliseconds: 'seconds',
  microseconds: 'seconds',
  nanoseconds: 'seconds',
  minutes: 'seconds',
  hours: 'seconds',
  days: 'seconds',
  kilobytes: 'bytes',
  kibibytes: 'bytes',
  megabytes: 'bytes',
  mebibytes: 'bytes',
  gigabytes: 'bytes',
  bits: 'bytes',
  percent: 'ratio',
  percents: 'ratio',
};
const ABBREVIATIONS = new Set(['s', 'ms', 'us', 'ns', 'sec', 'b', 'kb', 'mb', 'gb', 'tb', 'pb', 'm', 'h', 'd']);

/** What is wrong with a text of metrics, each with the metric's name. */
export function metricFaults(text: string): readonly string[] {
  const families = read(text);
  const faults = families.flatMap((family) => faultsOf(family).map((fault) => `${family.name} ${fault}`));
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const keys = samples.map((line) => line.slice(0, line.lastIndexOf(' ')));
  for (const [at, key] of keys.entries()) if (keys.indexOf(key) < at) faults.push(`${key} is there twice`);
  return faults;
}

function read(text: string): readonly Family[] {
  return text
    .split(/^(?=# HELP )/m)
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [, name = '', help = ''] = /^# HELP (\S+) ?(.*)$/m.exec(part) ?? [];
      const [, type = ''] = /^# TYPE \S+ (\S+)$/m.exec(part) ?? [];
      const labels = new Set<string>();
      for (const [, inner = ''] of part.matchAll(/^[a-z_]\w*\{(.*)\} /gim)) {
        for (const [, label = ''] of inner.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) labels.add(label);
      }
      return { name, type, help, labels };
    });
}

function faultsOf({ name, type, help, labels }: Family): readonly string[] {
  const words = name.split('_');
  const faults: string[] = [];
  const check = (isGood: boolean, fault: string): void => void (isGood || faults.push(fault));
  check(help !== '', 'has no help');
  check(['counter', 'gauge', 'histogram', 'summary'].includes(type), `has the type "${type}"`);
  check((type === 'counter') === name.endsWith('_total'), 'is a counter and does not end in _total, or the reverse');
  check(!/_(?:bucket|count|sum)$/.test(name), 'ends as a part of a histogram');
  check(type === 'histogram' || !labels.has('le'), 'is no histogram and has a label "le"');
  check(type === 'summary' || !labels.has('quantile'), 'is no summary and has a label "quantile"');
  check(!words.includes(type), 'has its type in its name');
  check(
    [name, ...labels].every((each) => /^[a-z][a-z0-9_]*$/.test(each)),
    'is not in snake_case, or a label',
  );
  for (const word of words) {
    check(!(word in OTHER_UNITS), `has ${word}, not ${OTHER_UNITS[word]}`);
    check(!ABBREVIATIONS.has(word), `has the abbreviation ${word}`);
  }
  return faults;
}
