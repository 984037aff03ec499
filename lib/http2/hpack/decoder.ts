import { DynamicTable, ENTRY_OVERHEAD } from './dynamic-table.ts';
import { decodeHuffman, maxDecodedBytes } from './huffman.ts';
import { knownName } from './known-names.ts';
import { STATIC_ENTRIES, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

/** The initial maximum size of a dynamic table, bytes (RFC 9113 §6.5.2). */
const INITIAL_TABLE_BYTES = 4_096;
/** How many updates of the table's size may begin a block (RFC 7541 §4.2): the lowest and the last. */
const MAX_UPDATES = 2;
/** The maximum number of bytes of an integer after its first: with four, it is less than 2^29. */
const MAX_INTEGER_BYTES = 4;

/** Huffman-coded texts are decoded into this. */
const SCRATCH = Buffer.allocUnsafeSlow(65_536);

/** Why a block cannot be decoded. */
export type HpackFault = 'integer' | 'index' | 'string' | 'huffman' | 'table size';

/** A decoded block. */
export interface FieldList {
  /** Names and values in turn, latin1. Names are not checked. If the list is too large, its first fields. */
  readonly fields: readonly string[];
  /** The list is larger than allowed, as RFC 9113 §6.5.2 counts. */
  readonly isTooLarge: boolean;
  /** Positions in `fields` of the names that must never be indexed by a next hop (RFC 7541 §7.1.3); null for none. */
  readonly neverIndexed: readonly number[] | null;
}

/**
 * Decodes the field blocks of one connection (RFC 7541). The blocks must be given whole, in order, and all of them: also
 * those of refused requests. Memory: the dynamic table, and the current list.
 */
export class HpackDecoder {
  readonly #table = new DynamicTable(INITIAL_TABLE_BYTES);
  readonly #maxTableBytes: number;
  /** What the other side may set the table's maximum size to. */
  #limit: number;
  /** The next block must begin with an update of the table's size. */
  #needsUpdate = false;
  /** The position in the block. */
  #at = 0;
  #fault: HpackFault | null = null;

  /** @param maxTableBytes the SETTINGS_HEADER_TABLE_SIZE that we announce */
  constructor(maxTableBytes: number) {
    this.#maxTableBytes = maxTableBytes;
    this.#limit = Math.max(maxTableBytes, INITIAL_TABLE_BYTES);
  }

  /** Why `decode` returned null. */
  get fault(): HpackFault | null {
    return this.#fault;
  }

  /** The size of the dynamic table, bytes. */
  get tableBytes(): number {
    return this.#table.bytes;
  }

  /** The other side has acknowledged our settings: the next block must observe a lowered table size (§4.2). */
  settingsAcknowledged(): void {
    this.#limit = this.#maxTableBytes;
    this.#needsUpdate = this.#table.maxBytes > this.#limit;
  }

  /**
   * Decodes a block. A list above `maxListBytes` is decoded to its end, for the table; its further fields are not kept.
   * @param block its bytes are copied
   * @returns null for an error, a COMPRESSION_ERROR of the connection; the decoder is then no longer of use
   */
  decode(block: Buffer, begin: number, end: number, maxListBytes: number): FieldList | null {
    this.#at = begin;
    if (!this.#updateSize(block, end)) return null;
    const table = this.#table;
    const fields: string[] = [];
    let neverIndexed: number[] | null = null;
    let listBytes = 0;
    while (this.#at < end) {
      const first = block[this.#at++] ?? 0;
      let name: string;
      let value: string;
      if (first >= 0x80) {
        const index = first === 0xff ? this.#integer(block, end, 0x7f) : first & 0x7f;
        if (index <= STATIC_ENTRIES) {
          if (index <= 0) return this.#fail(index < 0 ? 'integer' : 'index');
          name = STATIC_NAMES[index] ?? '';
          value = STATIC_VALUES[index] ?? '';
        } else {
          const age = index - STATIC_ENTRIES - 1;
          if (age >= table.entries) return this.#fail('index');
          name = table.nameAt(age);
          value = table.valueAt(age);
        }
      } else {
        const isAdded = first >= 0x40;
        if (!isAdded && first >= 0x20) return this.#fail('table size');
        const isKept = isAdded || listBytes <= maxListBytes;
        const mask = isAdded ? 0x3f : 0x0f;
        let index = first & mask;
        if (index === mask && (index = this.#integer(block, end, mask)) < 0) return this.#fail('integer');
        const literalName = index === 0 ? this.#text(block, end, isKept) : this.#nameOf(index);
        if (literalName === null) return null;
        const literalValue = this.#text(block, end, isKept);
        if (literalValue === null) return null;
        name = index === 0 ? knownName(literalName) : literalName;
        value = literalValue;
        if (isAdded) table.add(name, value);
        else if (first >= 0x10 && isKept) (neverIndexed ??= []).push(fields.length);
      }
      listBytes += name.length + value.length + ENTRY_OVERHEAD;
      if (listBytes <= maxListBytes) fields.push(name, value);
    }
    return { fields, isTooLarge: listBytes > maxListBytes, neverIndexed };
  }

  /** Reads the updates of the table's size at the beginning of a block (§6.3). */
  #updateSize(block: Buffer, end: number): boolean {
    let updates = 0;
    while (this.#at < end) {
      const first = block[this.#at] ?? 0;
      if ((first & 0xe0) !== 0x20) break;
      this.#at++;
      const bytes = (first & 0x1f) === 0x1f ? this.#integer(block, end, 0x1f) : first & 0x1f;
      if (bytes < 0) return this.#fail('integer') !== null;
      if (bytes > this.#limit || ++updates > MAX_UPDATES) return this.#fail('table size') !== null;
      this.#table.resize(bytes);
      this.#needsUpdate = false;
    }
    return !this.#needsUpdate || this.#fail('table size') !== null;
  }

  #nameOf(index: number): string | null {
    if (index <= STATIC_ENTRIES) return STATIC_NAMES[index] ?? '';
    const age = index - STATIC_ENTRIES - 1;
    return age < this.#table.entries ? this.#table.nameAt(age) : this.#fail('index');
  }

  /**
   * Reads the bytes of an integer after its first (§5.1).
   * @param prefix the first byte's value
   * @returns -1 if it is too long or incomplete
   */
  #integer(block: Buffer, end: number, prefix: number): number {
    let value = prefix;
    const last = Math.min(end, this.#at + MAX_INTEGER_BYTES);
    for (let shift = 0; this.#at < last; shift += 7) {
      const byte = block[this.#at++] ?? 0;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return -1;
  }

  /**
   * Reads a string literal (§5.2).
   * @param isKept otherwise it is only checked, and an empty string returned
   * @returns null for an error
   */
  #text(block: Buffer, end: number, isKept: boolean): string | null {
    if (this.#at >= end) return this.#fail('string');
    const first = block[this.#at++] ?? 0;
    const length = (first & 0x7f) === 0x7f ? this.#integer(block, end, 0x7f) : first & 0x7f;
    if (length < 0) return this.#fail('integer');
    const begin = this.#at;
    if (length > end - begin) return this.#fail('string');
    this.#at = begin + length;
    if (first < 0x80) return isKept ? block.toString('latin1', begin, begin + length) : '';
    const room = maxDecodedBytes(length);
    const into = room <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafeSlow(room);
    const decoded = decodeHuffman(block, begin, begin + length, into);
    if (decoded < 0) return this.#fail('huffman');
    return isKept ? into.toString('latin1', 0, decoded) : '';
  }

  #fail(fault: HpackFault): null {
    this.#fault = fault;
    return null;
  }
}
