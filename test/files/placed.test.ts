/** Files that root opens where others may put something. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { giveSocket } from '../../lib/files/give-socket.ts';
import { openLog } from '../../lib/files/open-log.ts';
import { readOwn } from '../../lib/files/read.ts';
import { UnsafePathError } from '../../lib/files/unsafe-path.ts';
import { temporaryFolder } from '../support/router.ts';
import { gid, noUsers, uid } from '../support/users.ts';

interface Scene {
  readonly folder: string;
  /** Of another user. */
  readonly theirs: string;
  /** Of root's, and for root alone. */
  readonly secret: string;
}

function begin(t: TestContext): Scene {
  const folder = temporaryFolder(t);
  const [theirs, secret] = [join(folder, 'theirs'), join(folder, 'secret')];
  mkdirSync(theirs);
  chownSync(theirs, uid, gid);
  writeFileSync(secret, 'secret', { mode: 0o600 });
  return { folder, theirs, secret };
}

function put(path: string, text: string): string {
  writeFileSync(path, text);
  chownSync(path, uid, gid);
  return path;
}

function placeLink(target: string, path: string): string {
  symlinkSync(target, path);
  lchownSync(path, uid, gid);
  return path;
}

describe('root', { skip: noUsers }, () => {
  test('reads through a link of another user what is that user’s, and nothing else', (t) => {
    const { folder, theirs, secret } = begin(t);
    put(join(theirs, 'own'), 'own');
    assert.equal(readOwn(placeLink('own', join(theirs, 'link'))).toString(), 'own');
    assert.equal(readOwn(placeLink('link', join(theirs, 'chain'))).toString(), 'own');
    assert.throws(() => readOwn(placeLink(secret, join(theirs, 'bad'))), UnsafePathError);
    // A link that root has made in their folder could be one that they have moved there.
    symlinkSync(secret, join(theirs, 'moved'));
    assert.throws(() => readOwn(join(theirs, 'moved')), UnsafePathError);
    // A folder that a link of theirs leads to.
    assert.throws(() => readOwn(join(placeLink(folder, join(theirs, 'folder')), 'secret')), UnsafePathError);
    linkSync(secret, join(theirs, 'hard'));
    assert.throws(() => readOwn(join(theirs, 'hard')), { message: /another name/ });
    assert.throws(() => readOwn(placeLink('loop', join(theirs, 'loop'))), { message: /too many links/ });
  });

  test('reads secrets as Kubernetes mounts them, in a folder that anybody may write', (t) => {
    const { folder } = begin(t);
    const mount = join(folder, 'mount');
    mkdirSync(join(mount, '..2026_11_28'), { recursive: true });
    chmodSync(mount, 0o1777);
    writeFileSync(join(mount, '..2026_11_28', 'tls.key'), 'key');
    symlinkSync('..2026_11_28', join(mount, '..data'));
    symlinkSync('..data/tls.key', join(mount, 'tls.key'));
    assert.equal(readOwn(join(mount, 'tls.key')).toString(), 'key');
    // Without the sticky bit anybody could put another link there.
    chmodSync(mount, 0o777);
    assert.throws(() => readOwn(join(mount, 'tls.key')), { message: /others may write/ });
  });

  test('does not wait for a FIFO that another user has placed', (t) => {
    const { theirs } = begin(t);
    const fifo = join(theirs, 'fifo');
    execFileSync('mkfifo', [fifo]);
    assert.equal(readOwn(fifo).toString(), '');
    assert.throws(() => openLog(fifo, { uid, gid }));
  });

  test('opens a log in a folder of another user only when it is new, or that user’s', (t) => {
    const { theirs, secret } = begin(t);
    const owner = { uid, gid };
    const path = join(theirs, 'access.log');
    const fd = openLog(path, owner);
    writeSync(fd, 'one\n');
    closeSync(fd);
    assert.deepEqual([statSync(path).uid, statSync(path).gid, statSync(path).mode & 0o777], [uid, gid, 0o640]);
    closeSync(openLog(path, owner));
    // Its owner may be another than who the workers are.
    const other = { uid: uid + 12_345, gid };
    closeSync(openLog(path, other));
    assert.equal(statSync(path).uid, other.uid);
    assert.throws(() => openLog(path, owner), { message: /belongs to user/ });
    // One of root's may have been moved there from another folder.
    chownSync(path, 0, 0);
    assert.throws(() => openLog(path, owner), { message: /belongs to user 0/ });
    assert.equal(statSync(path).uid, 0);
    rmSync(path);
    // As long as nobody was there, a link would have root make its target.
    const target = join(theirs, '..', 'made');
    assert.throws(() => openLog(placeLink(target, path), owner), UnsafePathError);
    assert.throws(() => statSync(target));
    assert.equal(readFileSync(secret, 'utf8'), 'secret');
  });

  test('logs to what is no file where only root could put it', (t) => {
    const { folder } = begin(t);
    const path = join(folder, 'access.log');
    symlinkSync('/dev/null', path);
    const before = statSync('/dev/null').uid;
    closeSync(openLog(path, { uid, gid }));
    assert.equal(statSync('/dev/null').uid, before);
    const script = `import { openLog } from '${new URL('../../lib/files/open-log.js', import.meta.url).href}';
      import { writeSync } from 'node:fs';
      writeSync(openLog('/dev/stdout', { uid: ${uid}, gid: ${gid} }), 'line');`;
    // By a pipe: what Node makes for its children is a socket, which nobody can open.
    const args = ['-c', '"$0" "$@" | cat', process.execPath, '--input-type=module', '-e', script];
    const out = execFileSync('sh', args, { encoding: 'utf8' });
    assert.equal(out, 'line');
  });

  test('gives away the socket that it has bound, and not what has taken its place', async (t) => {
    const { theirs, secret } = begin(t);
    const path = join(theirs, 'admin.sock');
    const server = createServer();
    server.listen(path);
    await once(server, 'listening');
    t.after(() => server.close());
    giveSocket(path, { uid, gid });
    assert.deepEqual([lstatSync(path).uid, lstatSync(path).gid], [uid, gid]);
    for (const place of [placeLink, linkSync]) {
      rmSync(path);
      place(secret, path);
      assert.throws(() => giveSocket(path, { uid, gid }), UnsafePathError);
      assert.equal(statSync(secret).uid, 0);
      assert.equal(lstatSync(path).ino === statSync(secret).ino, place === linkSync);
    }
  });
});
