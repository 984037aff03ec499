import { after } from 'node:test';
import { startRedis } from '../support/redis.ts';
import { storeContract } from './contract.ts';
import { redisReplies } from './redis-replies.ts';
import { subjectOf } from './redis-subject.ts';

const shared = await startRedis({ after }, { lines: ['user plain on >pw ~* &* +@all -@scripting'] });
storeContract('redis without scripts', subjectOf(shared, 'plain:pw@'));
redisReplies('redis without scripts', shared, 'plain:pw@');
