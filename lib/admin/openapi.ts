/** The OpenAPI 3.1 document of the admin API. Pure. */
import { COUNT, NUMBER, ref, SCHEMAS, type Schema, TEXT } from './openapi-schemas.ts';

/** What a kind of request takes, and its responses. */
interface Operation {
  readonly summary: string;
  readonly query?: Readonly<Record<string, readonly [what: string, schema?: Schema]>>;
  /** The name of the body's schema. */
  readonly body?: string;
  /** The names of the responses' schemas by status, a media type, or null without content. */
  readonly responses: Readonly<Record<number, string | null>>;
  /** Whether it is an edit that may depend on an entity tag. */
  readonly isConditional?: boolean;
  /** Whether its response has an entity tag. */
  readonly hasTag?: boolean;
}

const FORCE = ['without a value: also where it cannot work, or a key holds another type'] as const;
const PAGE = {
  limit: ['how many, at most', COUNT],
  match: ['only those with this text in the key', TEXT],
} as const;

const FIELDS = {
  options: 'options',
  headers: 'header fields',
  weights: 'weights',
  checks: 'fields of active checks',
} as const;

/** By method and path, with HOST for a host, as in `Requests`. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET /': { summary: 'The dashboard.', responses: { 200: 'text/html; charset=utf-8' } },
  'GET /healthz': { summary: 'Whether the process lives.', responses: { 200: 'text/plain; charset=utf-8' } },
  'GET /readyz': {
    summary: 'Whether the router serves its sites.',
    query: { strict: ['1: degraded counts as not ready'] },
    responses: { 200: 'Ready', 503: 'Ready' },
  },
  'GET /metrics': {
    summary: 'Metrics for Prometheus.',
    responses: { 200: 'text/plain; version=0.0.4; charset=utf-8' },
  },
  'GET /api/v1/openapi.json': { summary: 'This document.', responses: { 200: 'application/json' } },
  'GET /api/v1/summary': {
    summary: 'All frontends in one line each, and what is wrong.',
    query: {
      ...PAGE,
      from: ['how many to skip', COUNT],
      sort: ['the order', { enum: ['key', 'traffic', 'errors', 'latency', 'state'] }],
      state: ['only those in this state'],
    },
    responses: { 200: 'Summary' },
  },
  'GET /api/v1/frontends': {
    summary: 'All frontends, page by page.',
    query: { ...PAGE, cursor: ['`next` of the page before'] },
    responses: { 200: 'Frontends' },
  },
  'GET /api/v1/frontends/HOST': { summary: 'One frontend.', responses: { 200: 'Frontend' }, hasTag: true },
  'PUT /api/v1/frontends/HOST': {
    summary: 'Creates a frontend, or replaces its list.',
    query: { force: FORCE },
    body: 'NewFrontend',
    responses: { 200: 'EditedFrontend', 201: 'EditedFrontend' },
    isConditional: true,
  },
  'DELETE /api/v1/frontends/HOST': {
    summary: 'Removes a frontend and its dead marks.',
    query: { force: FORCE },
    responses: { 204: null },
    isConditional: true,
  },
  'POST /api/v1/frontends/HOST/backends': {
    summary: 'Adds a backend.',
    query: { force: FORCE },
    body: 'NewBackend',
    responses: { 200: 'EditedFrontend', 201: 'EditedFrontend' },
    isConditional: true,
  },
  'DELETE /api/v1/frontends/HOST/backends': {
    summary: 'Removes a backend.',
    query: { url: ['its URL, as in the list'], force: ['without a value: also the last one'] },
    responses: { 200: 'EditedFrontend' },
    isConditional: true,
  },
  'DELETE /api/v1/frontends/HOST/dead': {
    summary: 'Removes the dead marks of a host.',
    query: { url: ['only those of this backend'] },
    responses: { 204: null },
  },
  'POST /api/v1/frontends/HOST/deploy': {
    summary: 'Starts a deploy: new backends for old ones in all routers.',
    query: { force: FORCE },
    body: 'NewDeploy',
    responses: { 202: 'Deploy' },
  },
  'GET /api/v1/frontends/HOST/deploy': {
    summary: 'The state of the last deploy that this router was asked for.',
    responses: { 200: 'Deploy' },
  },
  'GET /api/v1/frontends/HOST/explain': {
    summary: 'Where a request goes, and why.',
    query: { path: ['the path of the request'], scheme: ['of the request', { enum: ['http', 'https'] }] },
    responses: { 200: 'Explanation' },
  },
  ...Object.fromEntries(
    Object.entries(FIELDS).flatMap(([name, what]): [string, Operation][] => [
      [
        `GET /api/v1/frontends/HOST/${name}`,
        { summary: `The frontend's own ${what}.`, responses: { 200: 'Fields' }, hasTag: true },
      ],
      [
        `PATCH /api/v1/frontends/HOST/${name}`,
        {
          summary: `Changes ${what}: a JSON Merge Patch (RFC 7396).`,
          query: { force: FORCE },
          body: 'FieldsPatch',
          responses: { 200: 'Fields' },
          isConditional: true,
        },
      ],
    ]),
  ),
  'GET /api/v1/workers': { summary: 'The processes.', responses: { 200: 'Workers' } },
  'GET /api/v1/fleet': { summary: 'All routers of the store.', responses: { 200: 'Fleet' } },
  'GET /api/v1/changes': { summary: 'The last reload, upgrade and other changes.', responses: { 200: 'Changes' } },
  'GET /api/v1/live': {
    summary: 'The data of the dashboard, second by second.',
    query: { seconds: ['how many', NUMBER] },
    responses: { 200: 'Live' },
  },
  'GET /api/v1/events': {
    summary: 'The last events; as a WebSocket, also all later ones.',
    responses: { 200: 'Events' },
  },
  'POST /api/v1/cache/drop': {
    summary: 'Workers forget the routes that they remember.',
    query: { host: ['only those of this host'] },
    responses: { 200: 'Dropped' },
  },
};

/** The document. @param version the program's */
export function openApi(version: string): Schema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    const [method = '', path = ''] = name.split(' ');
    const item = (paths[path.replace('HOST', '{host}')] ??= {});
    item[method.toLowerCase()] = operationOf(path, operation);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'The admin interface of hipache', version, license: { name: 'MIT', identifier: 'MIT' } },
    // The token is required on all addresses but those of this machine.
    security: [{}, { token: [] }],
    paths,
    components: {
      schemas: SCHEMAS,
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operationOf(path: string, operation: Operation): Schema {
  const { summary, query = {}, body, responses, isConditional = false, hasTag = false } = operation;
  const host = {
    name: 'host',
    in: 'path',
    required: true,
    description: 'www.example.com, *.example.com or *; with a path: www.example.com%2Fapi',
    schema: TEXT,
  };
  const fields = isConditional ? ['If-Match', 'If-None-Match'] : [];
  const parameters = [
    ...(path.includes('HOST') ? [host] : []),
    ...Object.entries(query).map(([name, [description, schema = TEXT]]) => ({
      name,
      in: 'query',
      description,
      schema,
    })),
    ...fields.map((name) => ({ name, in: 'header', description: 'entity tags, or *', schema: TEXT })),
  ];
  const found = Object.entries(responses).map(([status, schema]) => {
    const headers = hasTag ? { ETag: { schema: TEXT } } : undefined;
    return [status, { description: summary, ...contentOf(schema), ...(headers && { headers }) }] as const;
  });
  const failed = { description: 'The request has failed.', ...contentOf('Error') };
  const changed = { description: 'The frontend is not as the condition says.', ...contentOf('Error') };
  return {
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, ...contentOf(body) } }),
    responses: { ...Object.fromEntries(found), ...(isConditional && { 412: changed }), default: failed },
  };
}

/** @param schema the name of a schema, or a media type */
function contentOf(schema: string | null): Schema {
  if (schema === null) return {};
  if (schema === 'application/json') return { content: { [schema]: { schema: { type: 'object' } } } };
  if (schema.includes('/')) return { content: { [schema]: { schema: TEXT } } };
  return { content: { 'application/json': { schema: ref(schema) } } };
}
