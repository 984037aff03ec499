import type { Command } from './command.ts';
import { addRoute } from './route-add.ts';
import { DEPLOY_OPTIONS, deployRoute } from './route-deploy.ts';
import { momentOf } from './moment.ts';
import { explainRoute } from './route-explain.ts';
import { routeHistory } from './route-history.ts';
import { listRoutes } from './route-list.ts';
import { routeChecks, routeHeaders, routeOptions, routeWeights } from './route-fields.ts';
import { removeRoute } from './route-remove.ts';
import { setRoute } from './route-set.ts';
import { undoRoute } from './route-undo.ts';
import { showRoute } from './route-show.ts';
import { openStore, STORE_OPTIONS } from './store.ts';
import type { RouteRun } from './route-run.ts';
import { knownWord, UsageError } from './usage.ts';

const HELP = `Usage: hipache route COMMAND [options]

Shows and edits the routes in the store. A running router needs no restart.

  list [--match PART]          all frontends
  show HOST                    one frontend: its backends, and which are dead
  set HOST NAME URL...         create it, or replace it in one step
  add HOST URL... [--name NAME]  add backends; with a name, also to a new one
  remove HOST [URL]            remove it, or one of its backends
  deploy HOST URL...           give it these backends in place of its others, which
                               get no new clients and leave when they are idle
  options HOST [FIELD=VALUE...]  show its options, or change some; FIELD= removes one
  headers HOST [FIELD[=VALUE]...]  show its header fields, or change some: FIELD is
                               response:NAME or request:NAME; without = it goes
  weights HOST [URL=WEIGHT...]  show the weights of its backends, or change some;
                               URL= removes one
  checks HOST [FIELD=VALUE...|off]  show how its backends are checked, or change
                               that; FIELD= removes one field, off all of them
  explain HOST [PATH]          where a request goes, and why
  history HOST                 who changed it, when and how
  undo HOST                    undo its last change

HOST is www.example.com, or a wildcard: '*.example.com', '*'. HOST with a path,
www.example.com/api, is a path of the host with routes of its own.

  -c, --config FILE  the router's configuration, which names the store
      --driver URL   the store, instead of a configuration
      --match PART   list: only keys that contain this text
      --at TIME      explain: at an earlier time, 14:05 or 2026-11-30T14:05Z
      --probe        explain: also send a GET to each backend, from this machine
      --name NAME    add: create the frontend if it does not exist
      --wait SECONDS   deploy: how long all routers may take to use a new list (60)
      --drain SECONDS  deploy: how long old backends may have requests (30)
      --check PATH   deploy: the new backends must respond to a GET of it first
      --rollback-on PERCENT  deploy: go back if the new backends fail more often
      --force        write despite faults, overwrite keys of another type,
                     and use HOST as typed
      --json         print JSON
  -h, --help         print this help and exit

The exit code is 0 on success, 1 on failure or if there is no such frontend, 2
on usage errors.
`;

/** The actions of "hipache route". */
export const ACTIONS = [
  'list',
  'show',
  'set',
  'add',
  'remove',
  'deploy',
  'options',
  'headers',
  'weights',
  'checks',
  'explain',
  'history',
  'undo',
] as const;

const RUNS: Readonly<Record<(typeof ACTIONS)[number], (run: RouteRun) => Promise<number>>> = {
  list: listRoutes,
  show: showRoute,
  set: setRoute,
  add: addRoute,
  remove: removeRoute,
  deploy: deployRoute,
  options: routeOptions,
  headers: routeHeaders,
  weights: routeWeights,
  checks: routeChecks,
  explain: explainRoute,
  history: routeHistory,
  undo: undoRoute,
};

/** How many words each action takes after its name. */
const WORDS: Readonly<Record<(typeof ACTIONS)[number], readonly [least: number, most: number, what: string]>> = {
  list: [0, 0, 'options only'],
  show: [1, 1, 'HOST'],
  set: [2, Infinity, 'HOST NAME URL...'],
  add: [2, Infinity, 'HOST URL...'],
  remove: [1, 2, 'HOST [URL]'],
  deploy: [2, Infinity, 'HOST URL...'],
  options: [1, Infinity, 'HOST [FIELD=VALUE...]'],
  headers: [1, Infinity, 'HOST [FIELD[=VALUE]...]'],
  weights: [1, Infinity, 'HOST [URL=WEIGHT...]'],
  checks: [1, Infinity, 'HOST [FIELD=VALUE...|off]'],
  explain: [1, 2, 'HOST [PATH]'],
  history: [1, 1, 'HOST'],
  undo: [1, 1, 'HOST'],
};

/** `hipache route`. */
export const command: Command = {
  help: HELP,
  options: [
    ...STORE_OPTIONS,
    { name: 'probe' },
    { name: 'at', value: 'a time' },
    { name: 'match', value: 'a part of a key' },
    { name: 'name', value: 'a name' },
    ...DEPLOY_OPTIONS,
  ],

  async run({ args, console, configPath }) {
    const [word, ...words] = args.words;
    const action = knownWord(word, ACTIONS, 'command');
    const [least, most, what] = WORDS[action];
    if (words.length < least) throw new UsageError(`"route ${action}" needs ${what}`);
    const extra = words[most];
    if (extra !== undefined) throw new UsageError(`unexpected argument "${extra}": "route ${action}" takes ${what}`);
    if (args.values.has('match') && action !== 'list') throw new UsageError('option "--match" is for "route list"');
    if (args.values.has('name') && action !== 'add') throw new UsageError('option "--name" is for "route add"');
    if (args.flags.has('probe') && action !== 'explain') {
      throw new UsageError('option "--probe" is for "route explain"');
    }
    for (const { name } of DEPLOY_OPTIONS) {
      if (args.values.has(name) && action !== 'deploy')
        throw new UsageError(`option "--${name}" is for "route deploy"`);
    }
    const when = args.values.get('at');
    if (when !== undefined && (action !== 'explain' || args.flags.has('probe'))) {
      throw new UsageError('option "--at" is for "route explain" without "--probe"');
    }
    const at = when === undefined ? null : momentOf(when, Date.now());
    const { editor, admin, surroundings, backendTls, openFleet } = openStore(args, configPath);
    try {
      const { flags, values } = args;
      return await RUNS[action]({
        editor,
        admin,
        surroundings,
        backendTls,
        console,
        words,
        match: values.get('match') ?? '',
        newName: values.get('name') ?? null,
        isJson: flags.has('json'),
        isForced: flags.has('force'),
        isProbing: flags.has('probe'),
        openFleet,
        deployValues: values,
        at,
      });
    } finally {
      await editor.close();
    }
  },
};
