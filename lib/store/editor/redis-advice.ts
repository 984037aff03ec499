import type { UrlRules } from '../../core/routing/url-rules.ts';
import { MAX_LIST } from '../limits.ts';
import type { Advice } from './advice.ts';

/** Advice as commands for redis-cli's prompt. */
export class RedisAdvice implements Advice {
  readonly urls: UrlRules;
  readonly #prefix: string;

  /** @param prefix precedes `frontend:` */
  constructor(prefix: string, urls: UrlRules) {
    this.urls = urls;
    this.#prefix = prefix;
  }

  renameKey(key: string, meant: string): string {
    return command('RENAMENX', this.#list(key), this.#list(meant));
  }

  removeKey(key: string): string {
    return command('DEL', this.#list(key));
  }

  makeList(key: string): string {
    const list = this.#list(key);
    return [command('DEL', list), `${command('RPUSH', list)} NAME http://HOST:PORT`].join('\n');
  }

  shortenList(key: string): string {
    return this.keepFirst(key, MAX_LIST);
  }

  keepFirst(key: string, count: number): string {
    return command('LTRIM', this.#list(key), '0', String(count - 1));
  }

  removeFromEnd(key: string, element: string, times: number): string {
    return command('LREM', this.#list(key), String(-times), element);
  }

  keepList(key: string): string {
    return command('PERSIST', this.#list(key));
  }

  addIdentifier(key: string): string {
    return `${command('LPUSH', this.#list(key))} NAME`;
  }

  setIdentifier(key: string, name: string): string {
    return command('LSET', this.#list(key), '0', name);
  }

  firstFromLast(key: string): string {
    return command('RPOPLPUSH', this.#list(key), this.#list(key));
  }

  addBackend(key: string): string {
    return `${command('RPUSH', this.#list(key))} http://HOST:PORT`;
  }

  setBackend(key: string, id: number, url: string): string {
    return command('LSET', this.#list(key), String(id + 1), url);
  }

  splitBackend(key: string, id: number, urls: readonly string[]): string {
    const [first = '', ...others] = urls;
    return [this.setBackend(key, id, first), command('RPUSH', this.#list(key), ...others)].join('\n');
  }

  removeLast(key: string, _id: number, url: string): string {
    return command('LREM', this.#list(key), '-1', url);
  }

  renameMetadata(name: string, wanted: string): string {
    return command('RENAMENX', name, wanted);
  }

  removeMetadata(name: string): string {
    return command('DEL', name);
  }

  removeFields(name: string, fields: readonly string[]): string {
    return command('HDEL', name, ...fields);
  }

  renameCertificate(name: string, wanted: string): string {
    return command('RENAMENX', name, wanted);
  }

  renewCertificate(): string {
    return '';
  }

  #list(key: string): string {
    return `${this.#prefix}frontend:${key}`;
  }
}

/** A command for redis-cli's prompt: arguments with spaces or special characters are quoted. */
export function command(name: string, ...args: readonly string[]): string {
  return [name, ...args.map(quoted)].join(' ');
}

function quoted(text: string): string {
  if (/^[\w.:/*@%+,=~[\]{}-]+$/.test(text)) return text;
  const escaped = text.replaceAll(/["\\]/g, '\\$&').replaceAll(/\p{Cc}/gu, (sign) => {
    return [...Buffer.from(sign)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  });
  return `"${escaped}"`;
}
