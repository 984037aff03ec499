/** Cases of HTTP/2: what a client sends, and what must come of it (RFC 9113 §5.4). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HpackDecoder } from '../../lib/http2/hpack/decoder.ts';
import { dial } from './client.ts';
import { eventually } from './eventually.ts';
import { asking, CODE, headers, ping, settings } from './frames.ts';
import { ACK, END_HEADERS, END_STREAM, FRAME, type Frame, frame, PREFACE, RawHttp2 } from './http2.ts';
import type { Owner } from './router.ts';

/** A stream above those that cases use. */
const LATE_STREAM = 10_001;
/** Of the PING after a case. Its reply says that everything before it was read. */
const PROBE = 'is it ok';

/** What was received on a stream. */
interface Received {
  status: number;
  readonly fields: string[];
  body: string;
  hasEnded: boolean;
}

/** A client that writes frames by hand, acknowledges settings, and understands responses. */
export class FrameClient extends RawHttp2 {
  readonly #decoder = new HpackDecoder(4096);
  readonly #responses = new Map<number, Received>();
  #block = Buffer.alloc(0);

  /** @param opening what is sent first; else the preface and empty settings */
  static async connect(t: Owner, port: number, opening?: Buffer): Promise<FrameClient> {
    const socket = await dial(port);
    t.after(() => socket.destroy());
    return new FrameClient(socket, opening ?? Buffer.concat([PREFACE, settings()]));
  }

  /** Sends bytes in one write. */
  send(...bytes: readonly Buffer[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(bytes));
  }

  /** What has come on a stream so far. */
  received(stream: number): Received {
    const known = this.#responses.get(stream) ?? { status: 0, fields: [], body: '', hasEnded: false };
    this.#responses.set(stream, known);
    return known;
  }

  /** Resolves with the response of a stream, once it is complete. */
  async response(stream: number): Promise<Received> {
    await this.find((each) => each.stream === stream && this.received(stream).hasEnded);
    return this.received(stream);
  }

  /** Resolves when everything that was sent has been read. */
  async isRead(payload = PROBE): Promise<void> {
    this.send(ping(payload));
    await this.find((each) => each.type === FRAME.ping && each.flags === ACK && each.payload.toString() === payload);
  }

  /** Resolves when the router has closed the connection. */
  async isClosed(): Promise<void> {
    await eventually(() => assert.ok(this.socket.closed, 'the connection is still open'));
  }

  /** The connection is of use: a request is answered. Nothing but responses has come by then, except `expected`. */
  async isWell(expected: (frame: Frame) => boolean = () => false): Promise<void> {
    this.send(headers(LATE_STREAM, asking('/well')));
    assert.equal((await this.response(LATE_STREAM)).status, 200);
    const errors = this.frames.filter(({ type }) => type === FRAME.goaway || type === FRAME.reset);
    assert.deepEqual(
      errors.filter((each) => !expected(each)),
      [],
    );
  }

  protected override onFrame({ type, flags, stream, payload }: Frame): void {
    if (type === FRAME.settings && flags === 0) this.send(frame(FRAME.settings, ACK, 0));
    const into = this.received(stream);
    if (type === FRAME.data) into.body += payload.toString('latin1');
    if (type === FRAME.headers || type === FRAME.continuation) {
      this.#block = Buffer.concat([this.#block, payload]);
      if ((flags & END_HEADERS) !== 0) {
        const list = this.#decoder.decode(this.#block, 0, this.#block.length, 1_000_000);
        assert.ok(list, `a block that is ${this.#decoder.fault}`);
        this.#block = Buffer.alloc(0);
        if (list.fields[0] === ':status') into.status = Number(list.fields[1]);
        into.fields.push(...list.fields);
      }
    }
    if (type <= FRAME.headers && (flags & END_STREAM) !== 0) into.hasEnded = true;
  }
}

/** What comes of a case. A connection error ends the connection; after everything else it serves a next request. */
export type Outcome =
  | { readonly kind: 'connection error'; readonly codes: readonly number[] }
  | { readonly kind: 'stream error'; readonly stream: number; readonly codes: readonly number[] }
  | { readonly kind: 'response'; readonly stream: number; readonly status: number }
  | { readonly kind: 'ignored' };

export const connectionError = (...codes: readonly number[]): Outcome => ({ kind: 'connection error', codes });
export const streamError = (stream: number, ...codes: readonly number[]): Outcome => {
  return { kind: 'stream error', stream, codes };
};
export const response = (stream: number, status = 200): Outcome => ({ kind: 'response', stream, status });
/** Nothing comes back, and it does no harm. */
export const ignored: Outcome = { kind: 'ignored' };

/** One case: its name, where it is written, what is sent, and what comes of it: one of these. */
export type FrameCase = readonly [
  name: string,
  section: string,
  send: readonly Buffer[] | ((client: FrameClient) => void | Promise<void>),
  ...outcomes: readonly [Outcome, ...Outcome[]],
];

/** The scene that cases need. */
export interface FrameScene {
  readonly port: number;
  /** The targets of the requests that the backend has received whole. */
  readonly targets: () => readonly string[];
}

/** The path of requests that must not reach a backend. */
export const BAD = '/bad';

/** One test for each case, on a connection of its own. */
export function testCases(start: () => Promise<FrameScene>, cases: readonly FrameCase[]): void {
  for (const [name, section, send, ...outcomes] of cases) {
    test(`${name} (${section})`, async (t) => {
      const scene = await start();
      const client = await FrameClient.connect(t, scene.port);
      if (typeof send === 'function') await send(client);
      else client.send(...send);
      await checkOutcome(client, outcomes);
      assert.ok(!scene.targets().includes(BAD), 'nothing of it reached a backend');
    });
  }
}

/** Waits for one of these outcomes. */
export async function checkOutcome(client: FrameClient, outcomes: readonly Outcome[]): Promise<void> {
  const [first] = outcomes;
  if (outcomes.length === 1 && first?.kind === 'ignored') {
    await client.isRead();
    await client.isWell();
    return;
  }
  // Whatever comes first of all that could be meant, so that a wrong outcome fails at once.
  const found = await client.find(
    ({ type, flags, stream, payload }) =>
      (type === FRAME.goaway && payload.readUInt32BE(4) !== CODE.none) ||
      (type === FRAME.reset && outcomes.some((each) => 'stream' in each && each.stream === stream)) ||
      (type <= FRAME.headers && (flags & END_STREAM) !== 0 && outcomes.some((each) => isResponse(each, stream))),
  );
  const got = seen(found, client);
  assert.ok(
    outcomes.some((each) => matches(each, got)),
    `${JSON.stringify(got)}, not ${JSON.stringify(outcomes)}`,
  );
  if (got.kind === 'connection error') await client.isClosed();
  else if (got.kind === 'stream error')
    await client.isWell(({ type, stream }) => type === FRAME.reset && stream === got.stream);
  else await client.isWell();
}

function isResponse(outcome: Outcome, stream: number): boolean {
  return outcome.kind === 'response' && outcome.stream === stream;
}

function seen({ type, stream, payload }: Frame, client: FrameClient): Outcome {
  if (type === FRAME.goaway) return connectionError(payload.readUInt32BE(4));
  if (type === FRAME.reset) return streamError(stream, payload.readUInt32BE(0));
  return response(stream, client.received(stream).status);
}

function matches(expected: Outcome, got: Outcome): boolean {
  if ('codes' in expected && 'codes' in got) {
    if (expected.kind !== got.kind || !expected.codes.includes(got.codes[0] ?? -1)) return false;
    return !('stream' in expected && 'stream' in got) || expected.stream === got.stream;
  }
  return JSON.stringify(expected) === JSON.stringify(got);
}
