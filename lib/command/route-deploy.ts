/** `hipache route deploy`: new backends for old ones, in all routers. */
import { setTimeout as delay } from 'node:timers/promises';
import { checkFrom } from '../deploys/check-backends.ts';
import { deploy } from '../deploys/deploy.ts';
import type { DeployOptions } from '../deploys/deploy-parts.ts';
import { deployOptions } from '../deploys/deploy-options.ts';
import { DeployFailure } from '../deploys/deploy-step.ts';
import { askAdmin } from './admin-client.ts';
import { Part } from './answer-part.ts';
import { CommandFailure } from './command.ts';
import { clean } from './console.ts';
import { keyOf } from './route-key.ts';
import { checkNewList, type RouteRun } from './route-run.ts';
import { type Option, UsageError } from './usage.ts';

/** The options of `route deploy` alone. */
export const DEPLOY_OPTIONS: readonly Option[] = [
  { name: 'wait', value: 'seconds' },
  { name: 'drain', value: 'seconds' },
  { name: 'check', value: 'a path' },
  { name: 'rollback-on', value: 'a share, such as 5%' },
];

/** Between two looks at a deploy of the admin interface, ms. */
const LOOK_MS = 500;

/** Deploys; prints the steps. @throws UsageError, CommandFailure when it has failed */
export async function deployRoute(run: RouteRun): Promise<number> {
  const { editor, words, isForced, isJson, console, openFleet } = run;
  const [word = '', ...urls] = words;
  const key = keyOf(word, isForced, editor);
  checkNewList(run, key, ['name', ...urls]);
  const options = optionsOf(run, key, urls);
  const print = async (text: string): Promise<void> => {
    if (!isJson) await console.write(`${clean(text)}\n`);
  };
  const fleet = openFleet();
  if (fleet === null) await deployByAdmin(run, options, print);
  else {
    const interrupted = new AbortController();
    const interrupt = (): void => interrupted.abort();
    for (const signal of SIGNALS) process.once(signal, interrupt);
    const { signal } = interrupted;
    try {
      await deploy(options, {
        editor,
        fleet,
        check: checkFrom(run.backendTls(), editor.urls),
        onStep: ({ text }) => void print(text),
        now: () => performance.now(),
        pause: (ms) => delay(ms, undefined, { signal }).catch(() => {}),
        signal,
      });
    } catch (error) {
      throw error instanceof DeployFailure ? new CommandFailure(error.code, error.message) : error;
    } finally {
      for (const each of SIGNALS) process.removeListener(each, interrupt);
      await fleet.close();
    }
  }
  if (isJson)
    await console.write(`${JSON.stringify({ key, deployed: true, backends: urls, store: editor.writeName })}\n`);
  return 0;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

function optionsOf({ deployValues }: RouteRun, key: string, urls: readonly string[]): DeployOptions {
  const [wait, drain] = [secondsIn(deployValues, 'wait'), secondsIn(deployValues, 'drain')];
  const [, percent = null] = /^([0-9]{1,3}(?:\.[0-9]+)?)%?$/.exec(deployValues.get('rollback-on') ?? '') ?? [];
  if (deployValues.has('rollback-on') && percent === null) {
    throw new UsageError('option "--rollback-on" needs a share of errors, such as 5%');
  }
  const rollbackOn = percent === null ? null : Number(percent);
  const options = deployOptions(key, urls, { wait, drain, check: deployValues.get('check') ?? null, rollbackOn });
  if (typeof options === 'string') throw new UsageError(options);
  return options;
}

function secondsIn(values: ReadonlyMap<string, string>, name: string): number | null {
  const text = values.get(name);
  if (text === undefined) return null;
  if (!/^[0-9]{1,6}$/.test(text)) throw new UsageError(`option "--${name}" needs a whole number of seconds`);
  return Number(text);
}

/** With a routes file the router's admin process deploys, because it alone reaches the workers. */
async function deployByAdmin(
  { admin, isForced }: RouteRun,
  { key, urls: backends, waitMs, drainMs, checkPath: check, maxErrors }: DeployOptions,
  print: (text: string) => Promise<void>,
): Promise<void> {
  if (admin === null) {
    const why = 'a deploy with a routes file needs the router: give --config with a configuration that has "admin"';
    throw new CommandFailure('no-admin', why);
  }
  const path = `/api/v1/frontends/${encodeURIComponent(key)}/deploy`;
  const rollbackOn = maxErrors === null ? null : maxErrors * 100;
  const body = { backends, wait: waitMs / 1000, drain: drainMs / 1000, check, rollbackOn };
  let state = new Part(await askAdmin(admin, isForced ? `${path}?force` : path, body));
  for (let said = ''; ;) {
    const text = state.text('text');
    const error = state.part('error');
    if (state.text('phase') === 'failed') throw new CommandFailure(error.text('code'), error.text('message'));
    if (text !== said) await print(text);
    said = text;
    if (state.text('phase') === 'done') return;
    await delay(LOOK_MS);
    state = new Part(await askAdmin(admin, path));
  }
}
