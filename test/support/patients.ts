import type { TestContext } from 'node:test';
import { startBackend } from './backends.ts';

/** Fields of `healthcheck:<key>` for checks each second. */
export const OFTEN = { path: '/health', interval: 1, timeout: 1, rise: 2, fall: 2 } as const;
/** The same as arguments of HSET. */
export const OFTEN_ARGS: readonly (string | number)[] = Object.entries(OFTEN).flat();

/** A backend that counts its checks and its requests. */
export interface Patient {
  readonly url: string;
  /** Checks get 503. */
  isIll: boolean;
  /** Requests get 502. */
  failsRequests: boolean;
  checks: number;
  requests: number;
  /** The Host field of the last check. */
  host: string | undefined;
}

/** Starts a backend that responds with its name, and has its health at `/health`. */
export async function startPatient(t: TestContext, name: string): Promise<Patient> {
  const patient = { isIll: false, failsRequests: false, checks: 0, requests: 0, host: undefined as string | undefined };
  const { url } = await startBackend(t, (request, response) => {
    if (request.url === '/health') {
      patient.checks++;
      patient.host = request.headers.host;
      if (patient.isIll) response.statusCode = 503;
    } else {
      patient.requests++;
      if (patient.failsRequests) response.statusCode = 502;
    }
    response.end(name);
  });
  return Object.assign(patient, { url });
}
