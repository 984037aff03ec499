/**
 * Makes what a package installs beside the program, in dist/share: manual pages and completions for bash and zsh. The
 * build runs it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { commandPage, configurationPage } from './man/pages.mjs';

const share = new URL('../dist/share/', import.meta.url);
const program = fileURLToPath(new URL('../dist/bin/hipache.js', import.meta.url));

rmSync(share, { recursive: true, force: true });
mkdirSync(share);
write('hipache.1', await commandPage());
write('hipache.json.5', configurationPage());
write('hipache.bash', completion('bash'));
write('_hipache', completion('zsh'));

function completion(shell) {
  return execFileSync(process.execPath, [program, 'completion', shell], { encoding: 'utf8' });
}

function write(name, text) {
  writeFileSync(new URL(name, share), text);
}
