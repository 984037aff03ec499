/** Field blocks, for tests. */
import assert from 'node:assert/strict';
import type { FieldList, HpackDecoder } from '../../../lib/http2/hpack/decoder.ts';
import { writeInteger } from '../../../lib/http2/hpack/integers.ts';

/** Bytes from hexadecimal digits, with spaces. */
export function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

/** A literal that is added to the dynamic table, without Huffman coding. */
export function addition(name: string, value: string): Buffer {
  const into = Buffer.alloc(13 + name.length + value.length);
  let at = 0;
  into[at++] = 0x40;
  for (const text of [name, value]) {
    at = writeInteger(into, at, 0, 0x7f, text.length);
    at += into.write(text, at, 'latin1');
  }
  return into.subarray(0, at);
}

/** Decodes a block, which must be valid. */
export function listOf(decoder: HpackDecoder, block: string | Buffer, maxListBytes = 65_536): FieldList {
  const bytes = typeof block === 'string' ? bytesOf(block) : block;
  const list = decoder.decode(bytes, 0, bytes.length, maxListBytes);
  assert.ok(list, `${decoder.fault} in ${bytes.toString('hex')}`);
  return list;
}

/** The fields of a block, which must be valid: each with its name, a space, and its value. */
export function fieldsOf(decoder: HpackDecoder, block: string | Buffer): string[] {
  return linesOf(listOf(decoder, block).fields);
}

/** Names and values in turn as lines. */
export function linesOf(fields: readonly string[]): string[] {
  return Array.from({ length: fields.length / 2 }, (_, i) => `${fields[2 * i]} ${fields[2 * i + 1]}`);
}
