/**
 * Fetches servers of other versions for the tests, from Debian's other releases, into `.redis/`: nothing is installed.
 * apt checks who signed them. Where it cannot be done, it says so, and the tests that want them are skipped.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** For one command, ms. */
const PATIENCE_MS = 120_000;
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const target = fileURLToPath(new URL('../.redis/', import.meta.url));

/** What of which release; libraries are named where newer systems have others. */
const SERVERS = [
  {
    name: 'redis-6',
    release: 'bullseye',
    packages: ['redis-tools', 'liblua5.1-0', 'libssl1.1', 'lua-cjson', 'lua-bitop'],
    command: 'redis-server',
  },
  {
    name: 'valkey-8',
    release: 'bookworm-backports',
    packages: ['valkey-tools'],
    command: 'valkey-server',
  },
];

if (!SERVERS.every(({ name }) => existsSync(join(target, name)))) {
  const reason = fetchAll();
  if (reason !== null) console.error(`Tests with other versions of Redis will be skipped: ${reason}.`);
}

/** Returns null, or why not. */
function fetchAll() {
  if (process.arch !== 'x64') return 'this is no x86-64 machine';
  const mirror = mirrorOf(attempt('apt-get', 'indextargets', '--format', '$(REPO_URI) $(RELEASE) $(ORIGIN)').stdout);
  if (mirror === null || !existsSync(KEYRING)) return 'this is no Debian with apt';
  const work = join(target, 'work');
  rmSync(work, { recursive: true, force: true });
  for (const folder of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(work, folder), { recursive: true });
  try {
    const releases = SERVERS.map(({ release }) => `deb [signed-by=${KEYRING}] ${mirror} ${release} main\n`);
    writeFileSync(join(work, 'sources.list'), releases.join(''));
    if (apt(work, 'update').status !== 0) return 'the package lists cannot be had';
    for (const server of SERVERS) {
      if (existsSync(join(target, server.name))) continue;
      const reason = fetchOne(work, server);
      if (reason !== null) return reason;
    }
    return null;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function fetchOne(work, { name, release, packages, command }) {
  const folder = join(work, name);
  mkdirSync(folder);
  const { status } = apt(work, 'download', ...packages.map((each) => `${each}/${release}`));
  const files = readdirSync(work).filter((file) => file.endsWith('.deb'));
  if (status !== 0 || files.length !== packages.length) return `${name} cannot be had from ${release}`;
  for (const file of files) {
    if (attempt('dpkg-deb', '-x', join(work, file), folder).status !== 0) return `${file} cannot be unpacked`;
    rmSync(join(work, file));
  }
  const programs = join(folder, 'usr/bin');
  // The server and the checker of its dumps are one program, told apart by name.
  const checker = command.replace('server', 'check-rdb');
  if (!existsSync(join(programs, command))) symlinkSync(checker, join(programs, command));
  const libraries = join(folder, 'usr/lib/x86_64-linux-gnu');
  const tried = attempt('env', `LD_LIBRARY_PATH=${libraries}`, join(programs, command), '--version');
  if (tried.status !== 0) return `${name} does not run here`;
  renameSync(folder, join(target, name));
  return null;
}

/** Where this system has its own packages from. */
function mirrorOf(targets) {
  const line = targets.split('\n').find((each) => /^\S+ [a-z]+ Debian$/.test(each));
  return line?.split(' ')[0] ?? null;
}

/** apt-get with lists of its own: the system's are left as they are. */
function apt(work, ...args) {
  const own = {
    'Dir::Etc::SourceList': join(work, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(own).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  return attempt('apt-get', ...options, ...args, { cwd: work });
}

function attempt(command, ...args) {
  const options = typeof args.at(-1) === 'object' ? args.pop() : {};
  const result = spawnSync(command, args, {
    ...options,
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  return { status: result.status, stdout: result.stdout ?? '' };
}
