/** Makes the dashboard's page from the files of lib/dashboard, and its Content-Security-Policy. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageDashboardFolder, packageScriptsFolder } from '../config/package.ts';
import { joinModules } from './page-script.ts';

/** One page that loads no other file, and its header fields. */
export interface Dashboard {
  readonly html: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const STYLE = /<link rel="stylesheet" href="([\w-]+\.css)" \/>/g;
const SCRIPT = /<script src="([\w-]+\.js)"><\/script>/g;

/**
 * Reads the packaged dashboard. @throws when a file is missing, because the package was not built or installed
 * completely
 */
export function readDashboard(): Dashboard {
  return joinDashboard(readPart('page.html'), readPart);
}

/** A file of the dashboard: a compiled script, or a static file. */
function readPart(name: string): string {
  return readFileSync(join(name.endsWith('.js') ? packageScriptsFolder : packageDashboardFolder, name), 'utf8');
}

/**
 * Replaces the links to styles and scripts in a page with their content, and makes a policy that allows only these.
 * @param read returns the text of a file that the page, or a module, names
 * @throws when a file has text that would end its element early
 */
export function joinDashboard(page: string, read: (name: string) => string): Dashboard {
  const styles: string[] = [];
  const scripts: string[] = [];
  const joined = page
    .replaceAll(STYLE, (_link, name: string) => {
      const style = inner(name, read(name), 'style');
      styles.push(style);
      return `<style>${style}</style>`;
    })
    .replaceAll(SCRIPT, (_script, name: string) => {
      const script = inner(name, joinModules(name, read), 'script');
      scripts.push(script);
      return `<script>${script}</script>`;
    });
  return Object.freeze({
    html: Buffer.from(joined),
    headers: Object.freeze({
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': policy(styles, scripts),
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
    }),
  });
}

function inner(name: string, text: string, element: string): string {
  // Browsers convert CRLF to LF before they compute the hash.
  const plain = text.replaceAll('\r\n', '\n');
  // After "<!--" in a script, "</script>" may not end it.
  if (plain.includes('<!--') || plain.toLowerCase().includes(`</${element}`)) {
    throw new Error(`${name} cannot be part of a page: it has "<!--" or "</${element}"`);
  }
  return plain;
}

function policy(styles: readonly string[], scripts: readonly string[]): string {
  return [
    "default-src 'none'",
    `script-src ${scripts.map(hashOf).join(' ')}`,
    `style-src ${styles.map(hashOf).join(' ')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // If a bug ever assigns text as markup, the browser refuses it.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
