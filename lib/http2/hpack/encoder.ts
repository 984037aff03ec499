import { DynamicTable, ENTRY_OVERHEAD } from './dynamic-table.ts';
import { type FieldPlan, fieldPlan, REPEATED_FIELDS } from './field-plans.ts';
import { encodeHuffman, huffmanBytes } from './huffman.ts';
import { MAX_INTEGER_BYTES, writeInteger } from './integers.ts';
import { STATIC_ENTRIES, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

/** Our maximum size of the table, bytes, whatever the other side allows. Also the initial one (RFC 9113 §6.5.2). */
const MAX_TABLE_BYTES = 4_096;
/** An entry may take this part of the table, so that one long value does not remove all others. */
const LARGEST_PART = 0.25;
/** How many values of one field are looked for in the table. */
const RECENT = 4;
/**
 * How many values of a field may be added without one that is used again. Each use allows one more. Without this, values
 * that differ each time would fill the table.
 */
const CREDIT = 8;
/** Up to this length, a loop is faster than a call of Node. Measured. */
const SHORT = 24;

const STATUS_NAME_INDEX = STATIC_NAMES.indexOf(':status');

/** The indices of the static table's statuses. */
const STATUSES: ReadonlyMap<number, number> = new Map(
  STATIC_NAMES.flatMap((name, index) => (name === ':status' ? [[Number(STATIC_VALUES[index]), index] as const] : [])),
);

/** The maximum number of bytes that `begin` and `status` write together. */
export const HEAD_ROOM = 2 * MAX_INTEGER_BYTES + 5;

/** The maximum number of bytes that `field` writes. */
export function fieldRoom(name: string, value: string): number {
  return 1 + 2 * MAX_INTEGER_BYTES + name.length + value.length;
}

/**
 * Encodes the field blocks of one connection (RFC 7541). A block is `begin`, then `status` in responses, then `field` for
 * each field. Blocks must be sent whole, in this order, and all of them. The caller makes sure of the room in the buffer.
 */
export class HpackEncoder {
  readonly #table = new DynamicTable(MAX_TABLE_BYTES);
  /** What the next block must announce as the table's size: the lowest since the last block. */
  #lowest = MAX_TABLE_BYTES;
  /** What was announced last. */
  #announced = MAX_TABLE_BYTES;
  /** By slot of a plan, `RECENT` places each: the numbers of the entries with its latest values, counted from 1. */
  #recent: Uint32Array | null = null;
  /** By slot of a plan: how many values may still be added. */
  #credit: Uint8Array | null = null;

  /** The size of the dynamic table, bytes. */
  get tableBytes(): number {
    return this.#table.bytes;
  }

  /** Takes the other side's SETTINGS_HEADER_TABLE_SIZE. */
  limitTable(bytes: number): void {
    const maxBytes = Math.min(bytes, MAX_TABLE_BYTES);
    this.#lowest = Math.min(this.#lowest, maxBytes);
    this.#table.resize(maxBytes);
  }

  /** Begins a block, with updates of the table's size if it has changed (§4.2): the lowest, then the last. */
  begin(into: Buffer, begin: number): number {
    const { maxBytes } = this.#table;
    if (this.#lowest === maxBytes && this.#announced === maxBytes) return begin;
    let at = begin;
    if (this.#lowest < maxBytes && this.#lowest < this.#announced)
      at = writeInteger(into, at, 0x20, 0x1f, this.#lowest);
    at = writeInteger(into, at, 0x20, 0x1f, maxBytes);
    this.#lowest = maxBytes;
    this.#announced = maxBytes;
    return at;
  }

  /** @param code of three digits */
  status(into: Buffer, begin: number, code: number): number {
    let at = begin;
    const index = STATUSES.get(code);
    if (index !== undefined) {
      into[at++] = 0x80 | index;
      return at;
    }
    into[at++] = STATUS_NAME_INDEX;
    into[at++] = 3;
    into[at++] = 0x30 + Math.floor(code / 100);
    into[at++] = 0x30 + (Math.floor(code / 10) % 10);
    into[at++] = 0x30 + (code % 10);
    return at;
  }

  /**
   * @param name in lower case, latin1
   * @param value latin1
   */
  field(into: Buffer, begin: number, name: string, value: string): number {
    const plan = fieldPlan(name);
    if (plan === undefined) {
      into[begin] = 0;
      return writeText(into, writeText(into, begin + 1, name), value);
    }
    if (plan.addition !== null) {
      const index = this.#find(plan, value);
      if (index > 0) return writeInteger(into, begin, 0x80, 0x7f, index);
      if (this.#add(plan, value)) return writeCoded(into, copy(plan.addition, into, begin), value);
    }
    return writeText(into, copy(plan.literal, into, begin), value);
  }

  /** @returns the index of the entry with this field; 0 if there is none */
  #find({ name, slot }: FieldPlan, value: string): number {
    const recent = this.#recent;
    const credit = this.#credit;
    if (recent === null || credit === null) return 0;
    const { added, entries } = this.#table;
    for (let i = slot * RECENT; i < (slot + 1) * RECENT; i++) {
      const age = (added - (recent[i] ?? 0)) >>> 0;
      // The number may be of an entry that is gone.
      if (age >= entries || this.#table.valueAt(age) !== value || this.#table.nameAt(age) !== name) continue;
      credit[slot] = Math.min((credit[slot] ?? 0) + 1, CREDIT);
      return STATIC_ENTRIES + 1 + age;
    }
    return 0;
  }

  /** Adds an entry if it is of use. */
  #add({ name, slot }: FieldPlan, value: string): boolean {
    const bytes = name.length + value.length + ENTRY_OVERHEAD;
    if (bytes > this.#table.maxBytes * LARGEST_PART) return false;
    this.#recent ??= new Uint32Array(REPEATED_FIELDS * RECENT);
    this.#credit ??= new Uint8Array(REPEATED_FIELDS).fill(CREDIT);
    const credit = this.#credit[slot] ?? 0;
    if (credit === 0) return false;
    this.#credit[slot] = credit - 1;
    this.#table.add(name, flat(value));
    this.#recent.copyWithin(slot * RECENT + 1, slot * RECENT, (slot + 1) * RECENT - 1);
    this.#recent[slot * RECENT] = this.#table.added;
    return true;
  }
}

/** The same text, which does not keep a longer one in memory of which it is a slice. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function copy(bytes: Uint8Array, into: Uint8Array, begin: number): number {
  for (let i = 0; i < bytes.length; i++) into[begin + i] = bytes[i] ?? 0;
  return begin + bytes.length;
}

/** Writes a text as it is. */
function writeText(into: Buffer, begin: number, text: string): number {
  const at = writeInteger(into, begin, 0, 0x7f, text.length);
  if (text.length > SHORT) into.write(text, at, 'latin1');
  else for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** Writes a text, in the Huffman code if that is shorter. For texts that are written once: it takes longer. */
function writeCoded(into: Buffer, begin: number, text: string): number {
  const bytes = huffmanBytes(text);
  if (bytes >= text.length) return writeText(into, begin, text);
  return encodeHuffman(text, into, writeInteger(into, begin, 0x80, 0x7f, bytes));
}
