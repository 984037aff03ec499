import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import {
  closeSync,
  open as openFile,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LineFile } from '../../lib/observe/line-file.ts';
import { noFullDisk } from '../support/full-disk.ts';
import { noProc, openBelow } from '../support/processes.ts';
import { temporaryFolder } from '../support/router.ts';

interface Opened {
  readonly path: string;
  readonly file: LineFile;
  readonly faults: Error[];
}

function open(t: TestContext): Opened {
  const path = join(temporaryFolder(t), 'access.log');
  const faults: Error[] = [];
  const file = new LineFile(path, null, (cause) => faults.push(cause));
  t.after(() => file.flushSync());
  return { path, file, faults };
}

const textOf = (path: string): string => readFileSync(path, 'latin1');

/** Resolves when the file holds so many bytes: writes end when the system says so. */
async function grown(path: string, size: number): Promise<void> {
  for (let i = 0; i < 2_000 && statSync(path).size < size; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(statSync(path).size, size);
}

test('lines are appended to what the file held, and soon', async (t) => {
  const path = join(temporaryFolder(t), 'access.log');
  writeFileSync(path, 'before\n');
  const file = new LineFile(path, null, assert.fail);
  file.append('one\n');
  file.append('caf\u00e9\n');
  await grown(path, 16);
  assert.equal(textOf(path), 'before\none\ncaf\u00e9\n');
});

test('a new file is nobody else’s to read or write', (t) => {
  const { path } = open(t);
  assert.equal(statSync(path).mode & 0o027, 0);
});

test('flushSync writes what is left, at once and once', async (t) => {
  const { path, file } = open(t);
  file.append('one\n');
  file.flushSync();
  assert.equal(textOf(path), 'one\n');
  file.flushSync();
  file.append('two\n');
  file.flushSync();
  assert.equal(textOf(path), 'one\ntwo\n');
});

test('many lines come through whole, in order, and none is lost', async (t) => {
  const { path, file } = open(t);
  let text = '';
  for (let i = 0; i < 60; i++) {
    for (let j = 0; j < 100; j++) {
      const line = `${i}.${j} ${'x'.repeat(j)}\n`;
      text += line;
      file.append(line);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await grown(path, text.length);
  assert.equal(textOf(path), text);
  assert.equal(file.dropped, 0);
});

test('after the file was moved away, reopen makes a new one, and no line is lost or doubled', async (t) => {
  const { path, file } = open(t);
  file.append('one\n');
  renameSync(path, `${path}.1`);
  file.append('two\n');
  file.reopen();
  file.append('three\n');
  file.flushSync();
  assert.equal(textOf(`${path}.1`), 'one\ntwo\n');
  assert.equal(textOf(path), 'three\n');
});

test('a write that is under way while the file is reopened goes to the old file', async (t) => {
  const { path, file } = open(t);
  const line = `${'x'.repeat(1_023)}\n`;
  // The 64th line fills a buffer that is worth writing at once.
  for (let i = 0; i < 64; i++) file.append(line);
  file.append('last\n');
  renameSync(path, `${path}.1`);
  file.reopen();
  file.append('new\n');
  await grown(`${path}.1`, 64 * 1_024 + 5);
  await grown(path, 4);
});

/** Keeps all threads that read and write files busy. Returns what lets them go. */
function block(t: TestContext): () => void {
  const fifo = join(temporaryFolder(t), 'fifo');
  execFileSync('mkfifo', [fifo]);
  let left = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
  // Each waits for somebody who writes.
  for (let i = left; i > 0; i--)
    openFile(fifo, 'r', (_error, fd) => {
      closeSync(fd);
      if (--left === 0) closeSync(writer);
    });
  let writer = -1;
  return () => (writer = openSync(fifo, 'r+'));
}

test('a write that waits for its turn while the file is reopened twice goes nowhere but to the old file', async (t) => {
  const { path, file } = open(t);
  const release = block(t);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  file.append(`${'x'.repeat(65_535)}\n`);
  renameSync(path, `${path}.1`);
  file.reopen();
  renameSync(path, `${path}.2`);
  file.reopen();
  // However long that takes.
  t.mock.timers.tick(60_000);
  t.mock.timers.reset();
  const others = Array.from({ length: 4 }, (_, i) => `${path}.other${i}`);
  const numbers = others.map((other) => openSync(other, 'w'));
  t.after(() => numbers.forEach((fd) => closeSync(fd)));
  release();
  await grown(`${path}.1`, 65_536);
  for (const other of others) assert.equal(textOf(other), '');
  file.append('new\n');
  await grown(path, 4);
  if (noProc === false) assert.equal(openBelow(process.pid, join(path, '..')), others.length + 1);
});

test('where the new file cannot be opened, the old one is kept', (t) => {
  const { path, file, faults } = open(t);
  file.append('one\n');
  rmSync(join(path, '..'), { recursive: true });
  assert.throws(() => file.reopen(), { code: 'ENOENT' });
  file.append('two\n');
  file.flushSync();
  assert.deepEqual(faults, []);
});

test('a file that cannot be opened is the caller’s to hear of', (t) => {
  const folder = temporaryFolder(t);
  assert.throws(() => new LineFile(join(folder, 'none', 'access.log'), null, assert.fail), { code: 'ENOENT' });
});

test('a disk that does not keep up costs lines, not memory: they are counted', async (t) => {
  const { path, file } = open(t);
  const line = `${'x'.repeat(1_023)}\n`;
  // Nothing is written before this loop ends, so that two buffers are all there is.
  for (let i = 0; i < 2_000; i++) file.append(line);
  const kept = 2_000 - file.dropped;
  assert.ok(kept >= 256 && kept <= 512, `${kept} kept`);
  await grown(path, kept * 1_024);
  file.append('after\n');
  await grown(path, kept * 1_024 + 6);
  assert.ok(textOf(path).endsWith('x\nafter\n'));
});

test(
  'a disk that fails is reported, its lines are counted, and the next ones are tried',
  { skip: noFullDisk },
  async () => {
    const faults = new EventEmitter();
    const file = new LineFile('/dev/full', null, (cause) => faults.emit('fault', cause));
    for (const dropped of [2, 4]) {
      file.append('one\n');
      file.append('two\n');
      const [fault] = (await once(faults, 'fault')) as [NodeJS.ErrnoException];
      assert.equal(fault.code, 'ENOSPC');
      assert.equal(file.dropped, dropped);
    }
    file.append('last\n');
    file.flushSync();
    assert.equal(file.dropped, 5);
  },
);

/** A process with such a limit for its files, which stands for a full disk, and a way to have more room. */
const LIMITED = 'ulimit -S -f 8; exec "$0" "$@"';
const noLimits: string | false =
  spawnSync('prlimit', ['--version']).status === 0 ? false : 'there is no prlimit (util-linux)';

for (const [how, flush] of Object.entries({
  'in its own time': `while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 5));`,
  'at once': `file.flushSync();`,
})) {
  test(`a line that a full disk has torn, ${how}, is not merged with the next`, { skip: noLimits }, (t) => {
    const path = join(temporaryFolder(t), 'access.log');
    const script = `import { LineFile } from '${new URL('../../lib/observe/line-file.js', import.meta.url).href}';
      import { execFileSync } from 'node:child_process';
      import { statSync } from 'node:fs';
      const faults = [];
      const file = new LineFile('${path}', null, ({ code }) => faults.push(code));
      const line = (i) => i + ' ' + 'x'.repeat(90) + '\\n';
      const flush = async (isDone) => { ${flush} };
      for (let i = 100; i < 200; i++) file.append(line(i));
      await flush(() => faults.length === 1);
      // A try on the full disk does not forget what is torn.
      file.append(line(200));
      await flush(() => faults.length === 2);
      execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited']);
      for (let i = 300; i < 303; i++) {
        const { size } = statSync('${path}');
        file.append(line(i));
        await flush(() => statSync('${path}').size > size);
      }
      console.log(faults.join(), file.dropped);`;
    const args = ['-c', LIMITED, process.execPath, '--input-type=module', '-e', script];
    const { stdout, stderr } = spawnSync('sh', args, { encoding: 'utf8' });
    const lines = textOf(path).split('\n').slice(0, -1);
    const whole = lines.filter((each) => /^\d{3} x{90}$/.test(each));
    assert.equal(stdout, `EFBIG,EFBIG ${104 - whole.length}\n`, stderr);
    assert.equal(lines.length, whole.length + 1, 'one is torn');
    assert.deepEqual(
      whole.slice(-3).map((each) => each.slice(0, 3)),
      ['300', '301', '302'],
    );
  });
}
