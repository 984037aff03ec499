/** The manual pages: hipache(1) of the program's own help and docs/command-line.md, hipache.json(5) of docs/configuration.md. */
import { readFileSync } from 'node:fs';
import { COMMAND_NAMES, HELP } from '../../dist/lib/config/arguments.js';
import { version } from '../../dist/lib/core/version.js';
import { helpToMan, synopsis } from './help.mjs';
import { introduction, markdownToMan } from './markdown.mjs';
import { bold, head, item, page, section, subsection } from './roff.mjs';

const read = (name) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

/** The day in the head of each page: SOURCE_DATE_EPOCH's for builds that can be repeated, else today. */
function today() {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  const time = epoch === undefined ? new Date() : new Date(Number(epoch) * 1000);
  return time.toISOString().slice(0, 10);
}

/** hipache(1). */
export async function commandPage() {
  const help = await helpOfCommands();
  const about = {
    name: 'hipache',
    section: 1,
    title: 'User commands',
    summary: 'HTTP and WebSocket router with routes in Redis',
  };
  return page([
    ...head({ ...about, date: today(), version }),
    ...section('Synopsis'),
    ...synopsis(HELP),
    ...section('Description'),
    ...helpToMan(HELP),
    ...section('Commands'),
    ...COMMAND_NAMES.flatMap((name) => [
      ...subsection(`hipache ${name}`),
      ...synopsis(help.get(name)),
      ...helpToMan(help.get(name)),
    ]),
    ...markdownToMan(read('command-line.md'), { skip: ['hipache'], renamed: { 'Exit codes': 'Exit status' } }),
    ...section('Files'),
    ...item(bold('/etc/hipache.json'), 'the configuration, see hipache.json(5)'),
    ...section('See also'),
    `${bold('hipache.json')}(5), ${bold('redis-server')}(1), ${bold('systemctl')}(1)`,
  ]);
}

/** hipache.json(5). */
export function configurationPage() {
  const text = read('configuration.md');
  const about = {
    name: 'hipache.json',
    section: 5,
    title: 'File formats',
    summary: 'configuration of the router hipache',
  };
  return page([
    ...head({ ...about, date: today(), version }),
    ...section('Description'),
    ...introduction(text),
    ...markdownToMan(text, { renamed: { 'Every key': 'Keys' } }),
    ...section('See also'),
    `${bold('hipache')}(1)`,
  ]);
}

/** The help of each command, by its name. */
async function helpOfCommands() {
  const help = new Map();
  for (const name of COMMAND_NAMES) {
    const { command } = await import(`../../dist/lib/command/${name}.js`);
    help.set(name, command.help);
  }
  return help;
}
