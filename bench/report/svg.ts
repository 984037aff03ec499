/** A case as a bar chart: each row's ratio to the reference. Pure; readable by day and by night. */
import type { CaseReport } from './report.ts';
import { headingOf, ratioWritten, unitOf, written } from './words.ts';

const WIDTH = 760;
/** For labels: at least so wide, and so much for each letter of the longest. */
const LABEL_WIDTH = 250;
const LETTER_WIDTH = 6.5;
const VALUE_WIDTH = 150;
const ROW_HEIGHT = 26;
const BAR_HEIGHT = 16;
const TOP = 58;

const STYLE = `text { font: 13px system-ui, sans-serif; fill: #222 } .title { font-weight: 600 } .small { fill: #666 }
.bar { fill: #9ab } .own { fill: #2a7d4f } .one { stroke: #c33; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .small { fill: #999 } .bar { fill: #567 } .own { fill: #4caf7a } }`;

export function chartOf({ title, ratios: [metric], rows }: CaseReport): string {
  const bars = rows.flatMap(({ label, summary: { median, ratios } }) => {
    const ratio = ratios[metric];
    return ratio === undefined ? [] : [{ label, ratio, value: written(metric, median[metric]) }];
  });
  const left = Math.max(LABEL_WIDTH, ...bars.map(({ label }) => Math.ceil(label.length * LETTER_WIDTH)));
  const space = WIDTH - left - VALUE_WIDTH;
  const scale = space / Math.max(1, ...bars.map(({ ratio }) => ratio));
  const height = TOP + bars.length * ROW_HEIGHT + 12;
  const one = (left + scale).toFixed(1);
  const lines = bars.map(({ label, ratio, value }, at) => {
    const y = TOP + at * ROW_HEIGHT;
    const base = y + BAR_HEIGHT - 3;
    const width = (ratio * scale).toFixed(1);
    const kind = label.includes('hipache') ? 'own' : 'bar';
    const end = (left + ratio * scale + 6).toFixed(1);
    return `<text x="${left - 8}" y="${base}" text-anchor="end">${escaped(label)}</text>
<rect class="${kind}" x="${left}" y="${y}" width="${width}" height="${BAR_HEIGHT}"/>
<text x="${end}" y="${base}">${ratioWritten(ratio)} <tspan class="small">${value} ${unitOf(metric)}</tspan></text>`;
  });
  const reference = rows.find(({ isReference }) => isReference)?.label ?? 'the same system without an attack';
  const isLess = metric !== 'mbPerSecond' && metric !== 'perSecond';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<text class="title" x="8" y="20">${escaped(title)}</text>
<text class="small" x="8" y="40">${headingOf(metric)} as a ratio to ${escaped(reference)}; ${isLess ? 'less' : 'more'} is better</text>
${lines.join('\n')}
<line class="one" x1="${one}" x2="${one}" y1="${TOP - 6}" y2="${height - 8}"/>
</svg>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
