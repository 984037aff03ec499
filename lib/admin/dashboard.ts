import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageDashboardFolder } from '../config/package.ts';

/** The dashboard as it is sent: one page that needs nothing else, and what a browser is told of it. */
export interface Dashboard {
  readonly html: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const STYLE = /<link rel="stylesheet" href="([\w-]+\.css)" \/>/g;
const SCRIPT = /<script src="([\w-]+\.js)"><\/script>/g;

/** The dashboard that comes with the package. @throws when a file is missing: the installation is not whole */
export function readDashboard(): Dashboard {
  return joinDashboard(read('page.html'), read);
}

function read(name: string): string {
  return readFileSync(join(packageDashboardFolder, name), 'utf8');
}

/**
 * Puts the styles and scripts that a page names in their places, and allows a browser these, and no other.
 * @param readPart the text of a file that the page names
 * @throws when a file holds what would end its element: the rest would be read as the page's own
 */
export function joinDashboard(page: string, readPart: (name: string) => string): Dashboard {
  const styles: string[] = [];
  const scripts: string[] = [];
  const joined = page
    .replaceAll(STYLE, (_link, name: string) => {
      styles.push(inner(name, readPart(name), 'style'));
      return `<style>${styles.at(-1)}</style>`;
    })
    .replaceAll(SCRIPT, (_script, name: string) => {
      scripts.push(inner(name, readPart(name), 'script'));
      return `<script>${scripts.at(-1)}</script>`;
    });
  const html = Buffer.from(joined);
  return Object.freeze({
    html,
    headers: Object.freeze({
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': policy(styles, scripts),
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
    }),
  });
}

function inner(name: string, text: string, element: string): string {
  // Browsers count a carriage return as a line feed before they take the hash.
  const plain = text.replaceAll('\r\n', '\n');
  // "<!--" in a script makes "</script>" no end of it under conditions that nobody remembers.
  if (plain.includes('<!--') || plain.toLowerCase().includes(`</${element}`)) {
    throw new Error(`${name} cannot stand in a page: it holds "<!--" or "</${element}"`);
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
    // Should a name ever reach a parser of markup, the browser refuses.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
