/** The schemas of the admin API's responses, of JSON Schema 2020-12: the same as the types of answers.ts. */

/** A schema. */
export type Schema = Readonly<Record<string, unknown>>;

export const TEXT: Schema = { type: 'string' };
export const NUMBER: Schema = { type: 'number' };
export const COUNT: Schema = { type: 'integer', minimum: 0 };
const WHOLE: Schema = { type: 'integer' };
export const FLAG: Schema = { type: 'boolean' };
const TIME: Schema = { type: 'string', description: 'ISO 8601' };

/** An object with these members, and no others. */
export function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false };
}

export function list(items: Schema): Schema {
  return { type: 'array', items };
}

/** A member whose schema is elsewhere in the document. */
export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

function oneOf(...words: readonly string[]): Schema {
  return { enum: words };
}

const SECONDS_LEFT = orNull(NUMBER);
const TEXTS = list(TEXT);
const FAULTS = list(ref('Fault'));
const LISTED = { key: TEXT, name: TEXT, backends: list(ref('Backend')), faults: FAULTS };
const ETAG = { etag: orNull(TEXT) };
const SERIES = {
  requests: list(NUMBER),
  errors: list(NUMBER),
  p50: list(orNull(NUMBER)),
  p99: list(orNull(NUMBER)),
};
const KEY_VIEW = { key: TEXT, type: TEXT, holds: TEXTS, secondsLeft: SECONDS_LEFT };
const VERDICT = oneOf('used', 'absent', 'names no backend', 'unusable', 'not reached', 'not read', 'unlisted');
const READY_REASONS = { reasons: TEXTS };

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Error: object({ error: object({ code: TEXT, message: TEXT }) }),
  Fault: object({ code: TEXT, severity: oneOf('error', 'note'), text: TEXT, advice: TEXT }),
  Backend: object({
    id: COUNT,
    url: TEXT,
    state: oneOf('alive', 'dead', 'on-trial', 'unusable'),
    secondsLeft: SECONDS_LEFT,
    trialInSeconds: orNull(NUMBER),
    markedBy: { enum: ['router', 'other', null] },
    fault: orNull(TEXT),
  }),
  ListedFrontend: object(LISTED),
  EditedFrontend: object({ ...LISTED, ...ETAG }),
  Frontend: object({ ...LISTED, ...ETAG, activity: ref('Activity'), traffic: orNull(ref('Series')) }),
  Frontends: object({ frontends: list(ref('ListedFrontend')), next: orNull(TEXT), total: orNull(COUNT) }),
  NewFrontend: {
    anyOf: [object({ name: TEXT, backends: TEXTS }), { ...TEXTS, description: 'the list as Redis holds it' }],
  },
  NewBackend: object({ url: TEXT, name: TEXT }, ['name']),
  Fields: { type: 'object', additionalProperties: TEXT },
  FieldsPatch: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } },
  Series: object(SERIES),
  Activity: object({ workers: COUNT, replied: COUNT, backends: list(ref('BackendActivity')) }),
  BackendActivity: object({
    id: COUNT,
    inFlight: COUNT,
    waiting: COUNT,
    open: COUNT,
    idle: COUNT,
    requestsPerSecond: NUMBER,
    errorsPerSecond: NUMBER,
    p50: orNull(NUMBER),
    p99: orNull(NUMBER),
    responses: object({ '1xx': COUNT, '2xx': COUNT, '3xx': COUNT, '4xx': COUNT, '5xx': COUNT }),
    failures: list(object({ time: TIME, type: TEXT, reason: TEXT, code: orNull(TEXT), pid: WHOLE })),
  }),
  Explanation: object({
    asked: TEXT,
    host: orNull(TEXT),
    path: TEXT,
    answer: object({
      kind: oneOf('backend', 'paused', 'redirect', 'refused'),
      status: orNull(WHOLE),
      code: orNull(TEXT),
      text: TEXT,
    }),
    keys: list(object({ ...KEY_VIEW, verdict: VERDICT, faults: FAULTS })),
    route: orNull(ref('ListedFrontend')),
    prefix: orNull(object({ key: TEXT, matched: orNull(TEXT), passed: TEXTS })),
    options: list(object({ field: TEXT, value: TEXT, from: TEXT })),
    asks: orNull(TEXT),
    beside: list(object({ key: TEXT, type: TEXT, faults: FAULTS })),
    checks: list(
      object({
        url: TEXT,
        state: oneOf('new', 'up', 'down'),
        waits: FLAG,
        passed: orNull(FLAG),
        detail: orNull(TEXT),
        secondsAgo: orNull(NUMBER),
        router: orNull(TEXT),
      }),
    ),
    dead: orNull(object({ ...KEY_VIEW, faults: FAULTS })),
    certificate: orNull(
      object({
        text: TEXT,
        keys: list(object({ key: TEXT, verdict: VERDICT, names: TEXTS, expiresAt: orNull(TIME), faults: FAULTS })),
      }),
    ),
    near: list(object({ key: TEXT, faults: FAULTS })),
    store: object({ name: TEXT, hasHealthChecker: FLAG, faults: FAULTS }),
    workers: list(
      object({
        pid: WHOLE,
        generation: COUNT,
        knows: oneOf('fresh', 'stale', 'nothing'),
        ageSeconds: orNull(NUMBER),
        key: orNull(TEXT),
        name: orNull(TEXT),
        backends: TEXTS,
        dead: list(COUNT),
        onTrial: list(COUNT),
      }),
    ),
    activity: orNull(ref('Activity')),
    traffic: orNull(ref('Series')),
  }),
  Summary: object({
    readAt: TIME,
    isComplete: FLAG,
    counts: object({
      frontends: COUNT,
      down: COUNT,
      failing: COUNT,
      degraded: COUNT,
      faulty: COUNT,
      backends: COUNT,
      dead: COUNT,
    }),
    problems: list(
      object({
        kind: oneOf('all-dead', 'errors', 'fault', 'certificate', 'unread'),
        severity: oneOf('error', 'note'),
        frontend: orNull(TEXT),
        text: TEXT,
        advice: TEXT,
      }),
    ),
    moreProblems: COUNT,
    found: COUNT,
    frontends: list(
      object({
        key: TEXT,
        name: TEXT,
        state: oneOf('down', 'failing', 'degraded', 'faulty', 'good'),
        backends: COUNT,
        alive: COUNT,
        dead: COUNT,
        onTrial: COUNT,
        unusable: COUNT,
        errors: COUNT,
        requestsPerSecond: orNull(NUMBER),
        errorsPerSecond: orNull(NUMBER),
        p50: orNull(NUMBER),
        p99: orNull(NUMBER),
      }),
    ),
  }),
  Workers: object({
    master: object({ pid: WHOLE, version: TEXT, upSeconds: NUMBER, residentBytes: COUNT }),
    workers: list(
      object({
        pid: WHOLE,
        generation: COUNT,
        state: oneOf('starting', 'serving', 'draining'),
        upSeconds: NUMBER,
        residentBytes: orNull(COUNT),
        heapBytes: orNull(COUNT),
        connections: orNull(COUNT),
        exchanges: orNull(COUNT),
        tunnels: orNull(COUNT),
        certificateFaults: orNull(COUNT),
        loopDelay: orNull(object({ p50: NUMBER, p99: NUMBER, max: NUMBER })),
      }),
    ),
  }),
  Fleet: object({
    routers: list(
      object({
        id: TEXT,
        host: TEXT,
        version: TEXT,
        pid: WHOLE,
        since: TIME,
        workers: COUNT,
        draining: COUNT,
        silent: COUNT,
        heartbeatAgo: NUMBER,
        requestsPerSecond: NUMBER,
        connections: COUNT,
        exchanges: COUNT,
        queued: COUNT,
        permits: COUNT,
        permitsInUse: COUNT,
        sharedRates: COUNT,
        loopLag: NUMBER,
        clockSkew: orNull(NUMBER),
      }),
    ),
  }),
  NewDeploy: object({ backends: TEXTS, wait: NUMBER, drain: NUMBER, check: TEXT, rollbackOn: NUMBER }, [
    'wait',
    'drain',
    'check',
    'rollbackOn',
  ]),
  Deploy: object({
    key: TEXT,
    phase: oneOf('checking', 'joining', 'draining', 'leaving', 'returning', 'done', 'failed'),
    text: TEXT,
    inFlight: { type: 'object', additionalProperties: COUNT },
    routers: COUNT,
    ready: COUNT,
    startedAt: TIME,
    endedAt: orNull(TIME),
    error: orNull(object({ code: TEXT, message: TEXT })),
  }),
  Change: orNull(
    object({ outcome: oneOf('made', 'refused'), time: TIME, reason: orNull(TEXT), lastMade: orNull(TIME) }),
  ),
  Changes: object({
    reload: ref('Change'),
    upgrade: ref('Change'),
    routes: ref('Change'),
    logs: ref('Change'),
    snapshot: ref('Change'),
  }),
  Live: object({
    now: COUNT,
    version: TEXT,
    needsToken: FLAG,
    total: ref('Series'),
    frontends: list(object({ name: TEXT, ...SERIES })),
    connections: COUNT,
    exchanges: COUNT,
    tunnels: COUNT,
    store: object({ name: TEXT, isUp: FLAG }),
    refused: TEXTS,
    ready: object({ isReady: FLAG, isDegraded: FLAG, ...READY_REASONS }),
  }),
  Ready: object({ ready: FLAG, degraded: FLAG, ...READY_REASONS }),
  Events: object({ events: list({ type: 'object' }) }),
  Dropped: object({ workers: COUNT, hosts: COUNT }),
};
