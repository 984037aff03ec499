import type { UrlRules } from '../core/url-rules.ts';
import { MAX_LIST } from '../store/limits.ts';

/** How to mend things: commands for redis-cli, or words for a routes file. Keys of frontends come without `frontend:`. */
export interface Advice {
  /** What counts of the URLs that it is about. */
  readonly urls: UrlRules;
  renameKey(key: string, meant: string): string;
  /** For a key that nothing can be made of. */
  removeKey(key: string): string;
  /** For what stands there and is no list. */
  makeList(key: string): string;
  shortenList(key: string): string;
  keepList(key: string): string;
  addIdentifier(key: string): string;
  setIdentifier(key: string, name: string): string;
  firstFromLast(key: string): string;
  addBackend(key: string): string;
  setBackend(key: string, id: number, url: string): string;
  splitBackend(key: string, id: number, urls: readonly string[]): string;
  /** `url`: as the list spells it; it stands there earlier, too. */
  removeLast(key: string, id: number, url: string): string;
}

/** What redis-cli is told, at its own prompt. */
export class RedisAdvice implements Advice {
  readonly urls: UrlRules;
  readonly #prefix: string;

  /** @param prefix what stands before `frontend:` */
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
    return command('LTRIM', this.#list(key), '0', String(MAX_LIST - 1));
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

  #list(key: string): string {
    return `${this.#prefix}frontend:${key}`;
  }
}

/** What is to be written into a routes file. */
export class FileAdvice implements Advice {
  readonly urls: UrlRules;

  constructor(urls: UrlRules) {
    this.urls = urls;
  }

  renameKey(key: string, meant: string): string {
    return `write ${JSON.stringify(meant)} for ${JSON.stringify(key)}`;
  }

  removeKey(key: string): string {
    return `take ${JSON.stringify(key)} out`;
  }

  makeList(key: string): string {
    return `write ${JSON.stringify(key)}: ["NAME", "http://HOST:PORT"]`;
  }

  shortenList(key: string): string {
    return `leave ${MAX_LIST} elements in ${JSON.stringify(key)}`;
  }

  keepList(): string {
    return '';
  }

  addIdentifier(key: string): string {
    return `write a name before the first URL of ${JSON.stringify(key)}: ["NAME", "http://…"]`;
  }

  setIdentifier(_key: string, name: string): string {
    return `write ${JSON.stringify(name)} as the first element`;
  }

  firstFromLast(key: string): string {
    return `write the last element of ${JSON.stringify(key)} first`;
  }

  addBackend(key: string): string {
    return `write ${JSON.stringify(key)}: ["NAME", "http://HOST:PORT"]`;
  }

  setBackend(_key: string, id: number, url: string): string {
    return `write ${JSON.stringify(url)} for backend ${id}`;
  }

  splitBackend(_key: string, id: number, urls: readonly string[]): string {
    return `write ${urls.map((url) => JSON.stringify(url)).join(', ')} for backend ${id}`;
  }

  removeLast(_key: string, id: number): string {
    return `take backend ${id} out`;
  }
}

/** A command as redis-cli reads it at its prompt: what holds spaces and other signs stands in quotes. */
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
