import assert from 'node:assert/strict';
import { once, EventEmitter } from 'node:events';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { BufferBudget } from '../../lib/core/limits/buffer-budget.ts';
import { openUnnamed } from '../../lib/files/unnamed-file.ts';
import { type BufferParts, OverflowFile } from '../../lib/proxy/overflow-file.ts';
import { eventually } from '../support/eventually.ts';
import { noFullDisk } from '../support/full-disk.ts';

const PIECE = Buffer.alloc(50_000, 'a');

interface Scene {
  readonly parts: BufferParts;
  readonly faults: unknown[];
}

function scene(openFile = (): Promise<FileHandle> => openUnnamed(tmpdir()), fileBytes = 10_000_000): Scene {
  const faults: unknown[] = [];
  const budget = new BufferBudget(1_000_000, fileBytes);
  return { parts: { budget, open: openFile, onFault: (_site, error) => faults.push(error) }, faults };
}

/** Gives pieces, each when there is room for it. */
async function fill(file: OverflowFile, pieces: readonly Buffer[]): Promise<void> {
  const events = new EventEmitter();
  file.onRoom = () => events.emit('room');
  for (const piece of pieces) {
    file.push(piece);
    if (file.isLagging) await once(events, 'room');
  }
  file.onRoom = null;
}

async function readAll(file: OverflowFile): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let piece = await file.read(); piece !== null; piece = await file.read()) pieces.push(piece);
  return Buffer.concat(pieces);
}

const usedOf = ({ budget: { memory, fileBytes, files } }: BufferParts): readonly number[] => [
  memory.used,
  fileBytes.used,
  files.used,
];

test('what is read is what was given, also while more is given, and all is given back', async () => {
  const { parts } = scene();
  const file = new OverflowFile(parts, 'a.test', Infinity);
  const first = Array.from({ length: 20 }, (_, i) => Buffer.alloc(30_000 + i, i));
  await fill(file, first.slice(0, 10));
  const some = await file.read();
  const filling = fill(file, first.slice(10));
  const others: Buffer[] = [];
  for (let left = Buffer.concat(first).length - (some?.length ?? 0); left > 0;) {
    const piece = await file.read();
    if (piece === null) continue;
    others.push(piece);
    left -= piece.length;
  }
  await filling;
  assert.ok(Buffer.concat([some ?? Buffer.alloc(0), ...others]).equals(Buffer.concat(first)));
  assert.equal(await file.read(), null);
  file.close();
  file.close();
  assert.deepEqual(usedOf(parts), [0, 0, 0]);
});

test('a body takes as much of the site’s share as it has in memory and in the file', async () => {
  const { parts } = scene(undefined, 200_000);
  const file = new OverflowFile(parts, 'a.test', Infinity);
  await fill(file, [PIECE]);
  assert.equal(file.isOver, false);
  await fill(file, [PIECE]);
  assert.equal(file.isOver, true, 'half of what there is for all');
  assert.equal((await readAll(file)).length, 100_000);
  file.close();
  const other = new OverflowFile(parts, 'a.test', 60_000);
  await fill(other, [PIECE]);
  assert.equal(other.isOver, false);
  await fill(other, [PIECE]);
  assert.equal(other.isOver, true, 'as much as one body may have');
  other.close();
});

test('a file that cannot be made leaves all in memory, in order', async () => {
  const { parts, faults } = scene(() => Promise.reject(new Error('no folder')));
  const file = new OverflowFile(parts, 'a.test', Infinity);
  file.push(Buffer.from('ab'));
  file.push(Buffer.from('cd'));
  assert.equal(String(await readAll(file)), 'abcd');
  assert.deepEqual([file.isOver, file.isLagging, faults.length], [true, false, 1]);
  file.close();
  assert.deepEqual(usedOf(parts), [0, 0, 0]);
});

test('on a full disk nothing is lost', { skip: noFullDisk }, async () => {
  const { parts, faults } = scene(() => open('/dev/full', 'r+'));
  const file = new OverflowFile(parts, 'a.test', Infinity);
  await fill(file, [PIECE, PIECE]);
  assert.equal((await readAll(file)).length, 100_000);
  assert.equal((faults[0] as NodeJS.ErrnoException).code, 'ENOSPC');
  file.close();
});

test('a disk that becomes full keeps what it has, and the rest stays in memory', async () => {
  const { parts } = scene(async () => {
    const file = await openUnnamed(tmpdir());
    let writes = 0;
    const write = file.write.bind(file) as (...args: unknown[]) => unknown;
    file.write = ((...args: unknown[]) => {
      if (++writes > 1) return Promise.reject(new Error('full'));
      return write(...args);
    }) as unknown as FileHandle['write'];
    return file;
  });
  const file = new OverflowFile(parts, 'a.test', Infinity);
  await fill(file, [Buffer.from('first'), Buffer.from('second'), Buffer.from('third')]);
  assert.equal(String(await readAll(file)), 'firstsecondthird');
  file.close();
  assert.deepEqual(usedOf(parts), [0, 0, 0]);
});

test('a file that is closed while it is opened is closed', async () => {
  const opened: FileHandle[] = [];
  const { parts } = scene(async () => {
    const made = await openUnnamed(tmpdir());
    opened.push(made);
    return made;
  });
  const file = new OverflowFile(parts, 'a.test', Infinity);
  file.push(PIECE);
  const reading = file.read();
  file.close();
  assert.equal(await reading, null);
  file.push(PIECE);
  assert.deepEqual(usedOf(parts), [0, 0, 0]);
  await eventually(() =>
    assert.deepEqual(
      opened.map(({ fd }) => fd),
      [-1],
    ),
  );
});
