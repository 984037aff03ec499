/** What the figures were measured on, without names of machines and people. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import type { Machine } from './report/report.ts';
import { find } from './tools.ts';

const LIMIT_MS = 5_000;

/** How programs tell their version. */
const VERSIONS: Readonly<Record<string, string>> = {
  nginx: '-v',
  haproxy: '-v',
  h2o: '-v',
  apache2: '-v',
  'redis-server': '--version',
  h2load: '--version',
};

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? arch(),
    cores: availableParallelism(),
    memoryGB: totalmem() / 2 ** 30,
    system: `${distribution()}${type()} ${/^[0-9]+\.[0-9]+/.exec(release())?.[0] ?? ''}`,
    programs: { Node: process.versions.node, ...versions() },
    loadBefore: loadavg()[0] ?? 0,
  };
}

function versions(): Readonly<Record<string, string>> {
  const found = Object.entries(VERSIONS).flatMap(([program, option]) => {
    const path = find(program);
    if (path === null) return [];
    const { stdout, stderr } = spawnSync(path, [option], { encoding: 'utf8', timeout: LIMIT_MS });
    const version = /[0-9]+\.[0-9]+(?:\.[0-9]+)?/.exec(`${stdout}${stderr}`)?.[0];
    return version === undefined ? [] : [[program, version] as const];
  });
  return Object.fromEntries(found);
}

function distribution(): string {
  try {
    const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
    return name === undefined ? '' : `${name}, `;
  } catch {
    return '';
  }
}
