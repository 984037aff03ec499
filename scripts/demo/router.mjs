/** The router as a process: its access log is shown, its own log only where somebody should read it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { command } from '../build.mjs';

/** A terminal's Ctrl-C reaches the router too; only if it did not is it told, ms. */
const HEARD_MS = 300;
/** Longer than the router takes to stop, ms. */
const PATIENCE_MS = 10_000;
const SHOWN_LEVELS = new Set(['warn', 'error', 'fatal']);

export class Router {
  /** Resolves when it accepts requests and has its dashboard; rejects with what it said when it ends first. */
  ready;
  /** Resolves when it has ended. */
  ended;
  #child;
  #said = [];
  #awaited = new Set(['ready', 'admin-ready']);
  #isStopping = false;
  #onReady = () => {};

  constructor(config) {
    this.#child = spawn(process.execPath, [command, '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = once(this.#child, 'close');
    this.ready = new Promise((resolve, reject) => {
      this.#onReady = resolve;
      void this.ended.then(() => reject(new Error(this.said)));
    });
    this.ready.catch(() => {});
    createInterface({ input: this.#child.stdout }).on('line', (line) => console.log(line));
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.#hear(line));
  }

  /** The last lines of its log. */
  get said() {
    return this.#said.join('\n');
  }

  /** Asks it to stop, if nobody has yet. Resolves when it has ended. */
  async stop() {
    await Promise.race([this.ended, delay(HEARD_MS, null, { ref: false })]);
    if (!this.#isStopping) this.#child.kill('SIGTERM');
    const force = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    await this.ended;
    clearTimeout(force);
  }

  #hear(line) {
    this.#said = [...this.#said, line].slice(-20);
    const { event, level, msg } = parsed(line);
    if (event === 'stopping') this.#isStopping = true;
    if (this.#awaited.delete(event) && this.#awaited.size === 0) this.#onReady();
    else if (!this.#awaited.has('ready') && (SHOWN_LEVELS.has(level) || event === 'routes-loaded')) {
      console.log(`router: ${msg}`);
    }
  }
}

/** A line of the log; what is no such line is shown as it stands. */
function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return { level: 'error', msg: line };
  }
}
