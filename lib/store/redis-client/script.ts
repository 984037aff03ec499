import { createHash } from 'node:crypto';
import { isReplyError, type RedisLink } from './link.ts';

/** A Lua script and its SHA-1, for EVALSHA. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

/** Makes a Script of a text. */
export function scriptOf(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/**
 * Runs a script by its digest. A server that does not have it, after a restart or SCRIPT FLUSH, is sent the text.
 * @param args the number of keys, the keys, then the arguments
 * @throws as `RedisLink.send`
 */
export async function evaluate(
  link: RedisLink,
  script: Script,
  args: readonly string[],
  deadline: number,
): Promise<unknown> {
  try {
    return await link.send(['evalsha', script.sha, ...args], deadline);
  } catch (error) {
    if (!isReplyError(error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return await link.send(['eval', script.text, ...args], deadline);
  }
}
