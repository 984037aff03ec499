import type { Subject } from './contract.ts';

/** Writes what a contract wants written, as an operator would. @param cli runs one command */
export function redisSetters(
  cli: (name: string, key: string, ...args: string[]) => Promise<unknown>,
  prefix = '',
): Omit<Subject, 'store'> {
  return {
    set: async (key, list) => {
      await cli('del', `${prefix}frontend:${key}`);
      await cli('rpush', `${prefix}frontend:${key}`, ...list);
    },
    remove: async (key) => {
      await cli('del', `${prefix}frontend:${key}`);
    },
    setPrefixes: async (key, names) => {
      await cli('del', `${prefix}prefixes:${key}`);
      if (names.length > 0) await cli('sadd', `${prefix}prefixes:${key}`, ...names);
    },
    setHash: async (kind, key, fields) => {
      await cli('del', `${prefix}${kind}:${key}`);
      const flat = Object.entries(fields).flat();
      if (flat.length > 0) await cli('hset', `${prefix}${kind}:${key}`, ...flat);
    },
  };
}
