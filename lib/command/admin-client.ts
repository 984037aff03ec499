import { request, type RequestOptions } from 'node:http';
import type { AdminConfig } from '../config/config.ts';
import { bracketed } from '../core/routing/hostname.ts';
import { Part } from './answer-part.ts';
import { CommandFailure } from './command.ts';
import { UsageError } from './usage.ts';

/** The address of a running router's admin interface, and its token. */
export interface AdminAddress {
  readonly options: RequestOptions;
  readonly token: string | null;
  /** The address as shown to people. */
  readonly name: string;
}

/** The time limit of a request, ms. */
const TIMEOUT_MS = 3000;
/** The size limit of a response, bytes. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Parses `http://host:port` or `unix:/path`. @throws UsageError */
export function adminAddress(text: string, token: string | null): AdminAddress {
  const [, socketPath] = /^unix:(\/.+)$/.exec(text) ?? [];
  if (socketPath !== undefined) return { options: { socketPath, host: 'localhost' }, token, name: text };
  const [, host = '', port] = /^http:\/\/([\w.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?\/?$/i.exec(text) ?? [];
  if (host === '') throw new UsageError(`option "--admin" needs http://HOST:PORT or unix:/PATH, not "${text}"`);
  return { options: { host: host.replaceAll(/^\[|\]$/g, ''), port: Number(port ?? 80) }, token, name: text };
}

/** The address in a configuration; null if it has no admin interface. */
export function configuredAdmin(admin: AdminConfig | null): AdminAddress | null {
  const [place] = admin?.places ?? [];
  if (place === undefined) return null;
  const { token = null } = admin ?? {};
  if ('socket' in place) {
    return { options: { socketPath: place.socket, host: 'localhost' }, token, name: `unix:${place.socket}` };
  }
  const host = ANYWHERE[place.address] ?? place.address;
  return { options: { host, port: place.port }, token, name: `http://${bracketed(host)}:${place.port}` };
}

/** A program that listens on all addresses is reached on the loopback address. */
const ANYWHERE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** A JSON document with the status of its response. */
export interface AdminResponse {
  readonly status: number;
  readonly document: unknown;
}

/**
 * Requests a JSON document. @param body is sent as JSON with a POST; left out for a GET
 * @throws CommandFailure with a sentence for the operator
 */
export async function askAdmin(address: AdminAddress, path: string, body?: object): Promise<unknown> {
  const { document } = await askAdminFor(address, path, [200, 202], body);
  return document;
}

/** The same, for responses with several statuses. @throws CommandFailure for any other status */
export async function askAdminFor(
  { options, token, name }: AdminAddress,
  path: string,
  statuses: readonly number[],
  body?: object,
): Promise<AdminResponse> {
  const method = body === undefined ? 'GET' : 'POST';
  const { status, text } = await new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
    const asking = request({ ...options, method, path, headers, agent: false, timeout: TIMEOUT_MS }, (answer) => {
      let received = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        received += chunk;
        if (received.length > MAX_BYTES) asking.destroy(new Error('its response is too large'));
      });
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text: received }));
      answer.once('error', reject);
    });
    // A limit of silence would not do: a program that sends a byte each second would never reach it.
    const timer = setTimeout(() => asking.destroy(new Error(`no response within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
    asking.once('close', () => clearTimeout(timer));
    asking.once('error', reject);
    asking.end(body === undefined ? undefined : JSON.stringify(body));
  }).catch((error: unknown) => {
    throw new CommandFailure('admin-unavailable', `${name}: ${messageOf(error)}`);
  });
  if (statuses.includes(status)) return { status, document: parse(text, name) };
  const hint = status === 401 || status === 403 ? '; give --token, or HIPACHE_ADMIN_TOKEN in the environment' : '';
  const said = body === undefined ? '' : refusalIn(text);
  if (said !== '') throw new CommandFailure('admin-refused', said);
  throw new CommandFailure('admin-refused', `${name}${path} answered ${status}${hint}`);
}

/** Why a POST was refused; empty where the response does not say. */
function refusalIn(text: string): string {
  try {
    const message = new Part(JSON.parse(text)).part('error').text('message');
    return message === '-' ? '' : message;
  } catch {
    return '';
  }
}

function parse(body: string, name: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new CommandFailure('admin-unavailable', `${name} sent no JSON: is this the admin interface?`);
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
