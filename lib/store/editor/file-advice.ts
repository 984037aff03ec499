import type { UrlRules } from '../../core/routing/url-rules.ts';
import { MAX_LIST } from '../limits.ts';
import type { Advice } from './advice.ts';

/** Advice as instructions for editing a routes file. */
export class FileAdvice implements Advice {
  readonly urls: UrlRules;

  constructor(urls: UrlRules) {
    this.urls = urls;
  }

  renameKey(key: string, meant: string): string {
    return `replace ${JSON.stringify(key)} with ${JSON.stringify(meant)}`;
  }

  removeKey(key: string): string {
    return `remove ${JSON.stringify(key)}`;
  }

  makeList(key: string): string {
    return `write ${JSON.stringify(key)}: ["NAME", "http://HOST:PORT"]`;
  }

  shortenList(key: string): string {
    return this.keepFirst(key, MAX_LIST);
  }

  keepFirst(key: string, count: number): string {
    return `keep the first ${count} elements of ${JSON.stringify(key)}`;
  }

  removeFromEnd(_key: string, element: string): string {
    return `write ${JSON.stringify(element)} as the first element only`;
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
    return `move the last element of ${JSON.stringify(key)} to the front`;
  }

  addBackend(key: string): string {
    return `write ${JSON.stringify(key)}: ["NAME", "http://HOST:PORT"]`;
  }

  setBackend(_key: string, id: number, url: string): string {
    return `replace backend ${id} with ${JSON.stringify(url)}`;
  }

  splitBackend(_key: string, id: number, urls: readonly string[]): string {
    return `replace backend ${id} with ${urls.map((url) => JSON.stringify(url)).join(', ')}`;
  }

  removeLast(_key: string, id: number): string {
    return `remove backend ${id}`;
  }

  renameMetadata(name: string, wanted: string): string {
    return `replace ${JSON.stringify(name)} with ${JSON.stringify(wanted)}`;
  }

  removeMetadata(name: string): string {
    return `remove ${JSON.stringify(name)}`;
  }

  removeFields(name: string, fields: readonly string[]): string {
    return `remove ${fields.map((field) => JSON.stringify(field)).join(' and ')} from ${JSON.stringify(name)}`;
  }

  renameCertificate(name: string, wanted: string): string {
    return `rename ${name} to ${wanted}`;
  }

  renewCertificate(key: string): string {
    return `replace tls/${key}.crt and tls/${key}.key`;
  }
}
