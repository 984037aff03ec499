import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { markLife } from '../../lib/core/health/check-rules.ts';
import { checkRulesOf } from '../../lib/sites/healthcheck.ts';
import type { CheckReport } from '../../lib/store/checks.ts';
import { fileReports } from '../../lib/store/redis/check-filing.ts';
import type { RedisCommand } from '../../lib/store/redis-client/protocol.ts';
import { startRedis } from '../support/redis.ts';

const A = 'http://10.0.0.1';
const B = 'http://10.0.0.2';

const redis = await startRedis({ after });

/** A link on which something happens right before a command is sent. */
function linkWith(before: (command: RedisCommand) => Promise<unknown> = () => Promise.resolve()) {
  return {
    deadline: () => performance.now() + 5_000,
    sendAll: async (commands: readonly RedisCommand[]) => {
      const replies: unknown[] = [];
      for (const command of commands) {
        await before(command);
        const [name, ...args] = command;
        replies.push(await redis.cli(name, ...args).catch((error: unknown) => error));
      }
      return replies;
    },
  };
}

function report(key: string, url: string, action: CheckReport['action']): CheckReport {
  const life = markLife(checkRulesOf(new Map()));
  return { key, url, entry: url, result: '{}', isGood: false, action, life, keepMs: 60_000, unusable: [] };
}

async function site(...keys: readonly string[]): Promise<void> {
  await redis.cli('flushall');
  for (const key of keys) {
    await redis.cli('rpush', `frontend:${key}`, 'site', A, B);
    await redis.cli('hset', `healthcheck:${key}`, 'path', '/');
  }
}

for (const [key, members, ours] of [
  ['www.x.io', 'dead:www.x.io', ['1']],
  ['*.x.io', 'down:*.x.io', [B]],
] as const) {
  test(`of ${key}, a mark is taken back if another router has marked the other backend meanwhile`, async () => {
    await site(key);
    let isRacing = true;
    const link = linkWith(async ([name, set]) => {
      if (!isRacing || name !== 'sadd' || set !== members) return;
      isRacing = false;
      await redis.cli('sadd', members, key.startsWith('*') ? A : '0');
    });
    const { outcomes, refusal } = await fileReports(link, '', [report(key, B, 'mark')]);
    assert.deepEqual([outcomes, refusal], [['last'], null]);
    assert.deepEqual(await redis.cli('smembers', members), key.startsWith('*') ? [A] : ['0']);
    assert.deepEqual(await redis.cli('hgetall', `marks:${key}`), {});
  });

  test(`of ${key}, marks are made, kept and removed, and the last living backend gets none`, async () => {
    await site(key);
    const link = linkWith();
    const file = async (url: string, action: CheckReport['action']) =>
      (await fileReports(link, '', [report(key, url, action)])).outcomes[0];
    assert.equal(await file(A, 'none'), 'noted');
    assert.equal(await file(B, 'mark'), 'marked');
    assert.equal(await file(B, 'mark'), 'kept');
    assert.deepEqual(await redis.cli('smembers', members), ours);
    const left = Number(await redis.cli('pttl', members));
    assert.ok(left > 25_000 && left <= 30_000, `${left}`);
    assert.equal(await file(A, 'mark'), 'last');
    assert.equal(await file('http://10.0.0.9', 'mark'), 'moved');
    assert.equal(await redis.cli('hexists', `check:${key}`, 'http://10.0.0.9'), 0);
    assert.equal(await file(B, 'clear'), 'cleared');
    assert.equal(await file(B, 'clear'), 'noted');
    assert.deepEqual(await redis.cli('exists', members), 0);
    await redis.cli('del', `healthcheck:${key}`);
    assert.equal(await file(B, 'mark'), 'gone');
  });
}

test('two reports of one list mark one backend, and a key of another type costs only its own list', async () => {
  await site('www.x.io', 'odd.x.io');
  await redis.cli('set', 'dead:odd.x.io', 'text');
  const reports = [
    report('odd.x.io', A, 'mark'),
    report('www.x.io', A, 'mark'),
    report('www.x.io', B, 'mark'),
    report('www.x.io', B, 'none'),
  ];
  const { outcomes, refusal } = await fileReports(linkWith(), '', reports);
  assert.deepEqual([outcomes, refusal], [['failed', 'marked', 'last', 'noted'], null]);
});

test('what Redis refuses is said', async () => {
  await site('www.x.io');
  const refused = new Error("NOPERM this user has no permissions to run the 'hset' command");
  refused.name = 'ReplyError';
  const link = { ...linkWith(), sendAll: () => Promise.resolve([refused]) };
  const { outcomes, refusal } = await fileReports(link, '', [report('www.x.io', A, 'mark')]);
  assert.deepEqual([outcomes, refusal], [['failed'], refused.message]);
});
