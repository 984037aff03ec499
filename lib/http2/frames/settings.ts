/** SETTINGS frames (RFC 9113 §6.5). */

import {
  CODE,
  ConnectionError,
  FRAME,
  HEAD_BYTES,
  MAX_31_BITS,
  MAX_PAYLOAD,
  read32,
  write32,
  writeHead,
} from './frames.ts';

/** RFC 9113 §6.5.2, RFC 8441 §3, RFC 9218 §2.1. */
export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
  noRfc7540Priorities: 9,
} as const;

/** The size of a setting: its id and its value, bytes. */
const SETTING_BYTES = 6;
const MAX_FRAME_SIZE = 16_777_215;

/** What a client says about how to send to it. */
export interface PeerSettings {
  /** The size of its HPACK table; undefined where the frame does not set it. */
  readonly headerTableSize: number | undefined;
  /** The lowest size that the frame set on the way to the last: entries beyond it are evicted (RFC 7541 §4.2). */
  readonly lowestTableSize: number | undefined;
  readonly initialWindowSize: number | undefined;
}

/** Reads and checks the payload of a SETTINGS frame. Throws a ConnectionError. */
export function readSettings(bytes: Buffer, begin: number, end: number): PeerSettings {
  let headerTableSize: number | undefined;
  let lowestTableSize: number | undefined;
  let initialWindowSize: number | undefined;
  if ((end - begin) % SETTING_BYTES !== 0) throw new ConnectionError(CODE.frameSize, 'SETTINGS with half a setting');
  for (let at = begin; at < end; at += SETTING_BYTES) {
    const value = read32(bytes, at + 2);
    switch (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)) {
      case SETTING.headerTableSize:
        headerTableSize = value;
        lowestTableSize = Math.min(lowestTableSize ?? value, value);
        break;
      case SETTING.initialWindowSize:
        if (value > MAX_31_BITS) throw new ConnectionError(CODE.flowControl, `SETTINGS with a window of ${value}`);
        initialWindowSize = value;
        break;
      case SETTING.maxFrameSize:
        if (value < MAX_PAYLOAD || value > MAX_FRAME_SIZE) refuse('a frame size', value);
        break;
      case SETTING.enablePush:
      case SETTING.enableConnectProtocol:
      case SETTING.noRfc7540Priorities:
        if (value > 1) refuse('a flag', value);
        break;
    }
  }
  return { headerTableSize, lowestTableSize, initialWindowSize };
}

function refuse(what: string, value: number): never {
  throw new ConnectionError(CODE.protocol, `SETTINGS with ${what} of ${value}`);
}

/** A setting to send: one of `SETTING`, and its value. */
export type Setting = readonly [id: number, value: number];

/** Writes a SETTINGS frame. @returns where the next frame goes */
export function writeSettings(bytes: Buffer, begin: number, settings: readonly Setting[]): number {
  let at = writeHead(bytes, begin, settings.length * SETTING_BYTES, FRAME.settings, 0, 0);
  for (const [id, value] of settings) {
    bytes[at] = id >>> 8;
    bytes[at + 1] = id;
    at = write32(bytes, at + 2, value);
  }
  return at;
}

/** The size of a SETTINGS frame, bytes. */
export function settingsBytes(settings: readonly Setting[]): number {
  return HEAD_BYTES + settings.length * SETTING_BYTES;
}
