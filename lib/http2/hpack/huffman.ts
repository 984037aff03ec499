/**
 * The Huffman code of HPACK (RFC 7541 §5.2, Appendix B). It is canonical: codes of one length are consecutive numbers in
 * the order of their symbols, so that the lengths define it.
 */

/** The end of the string. It never occurs in one: its first bits are the padding. */
const EOS = 256;
/** The maximum number of bits of padding. */
const MAX_PADDING = 7;

/** The lengths of the codes in bits, by symbol. */
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];
const MIN_LENGTH = 5;
const MAX_LENGTH = 30;

/** The codes, by symbol; their last bit is the lowest. */
const CODES: readonly number[] = codes();

/**
 * Decoding, four bits at a time. By 16 × state + bits: the next state in bits 0 to 7, the symbol that ends within these
 * bits in bits 8 to 15, and flags. No code is shorter than five bits, so that at most one ends. A state is an inner node
 * of the code's tree, 0 its root. 16 KiB.
 */
const STEPS = new Uint32Array(16 * 256);
const HAS_SYMBOL = 1 << 16;
/** The end of the string is in it, or bits after that. */
const IS_INVALID = 1 << 17;
/** The states in which a text may end, with 1: less than eight bits after a symbol, all of them ones. */
const MAY_END = new Uint8Array(256);
buildSteps();

/** How many bytes a text of this many bytes can have at most when decoded. */
export function maxDecodedBytes(bytes: number): number {
  return Math.floor((bytes * 8) / MIN_LENGTH);
}

/**
 * Decodes a whole text.
 * @param into has room for `maxDecodedBytes`
 * @returns the number of bytes, or -1 if the text contains the end of the string, or ends within a code, with more than
 *   seven bits of padding, or with a padding that is not all ones
 */
export function decodeHuffman(from: Uint8Array, begin: number, end: number, into: Uint8Array): number {
  let state = 0;
  let length = 0;
  for (let at = begin; at < end; at++) {
    const byte = from[at] ?? 0;
    const high = STEPS[(state << 4) | (byte >> 4)] ?? 0;
    if (high >= HAS_SYMBOL) {
      if (high >= IS_INVALID) return -1;
      into[length++] = high >> 8;
    }
    const low = STEPS[((high & 0xff) << 4) | (byte & 0xf)] ?? 0;
    if (low >= HAS_SYMBOL) {
      if (low >= IS_INVALID) return -1;
      into[length++] = low >> 8;
    }
    state = low & 0xff;
  }
  return MAY_END[state] === 1 ? length : -1;
}

/** How many bytes a text takes when encoded. */
export function huffmanBytes(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += LENGTHS[text.charCodeAt(i) & 0xff] ?? 0;
  return (bits + 7) >> 3;
}

/**
 * Encodes a text.
 * @param text latin1
 * @param into has room for `huffmanBytes` at `begin`
 * @returns the position after it
 */
export function encodeHuffman(text: string, into: Uint8Array, begin: number): number {
  let at = begin;
  // Never more than 7 + 8 bits at a time: numbers above 2^31 would be slow.
  let bits = 0;
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i) & 0xff;
    const code = CODES[symbol] ?? 0;
    let left = LENGTHS[symbol] ?? 0;
    while (left > 0) {
      const taken = Math.min(left, 8);
      left -= taken;
      bits = (bits << taken) | ((code >>> left) & ((1 << taken) - 1));
      count += taken;
      if (count >= 8) {
        count -= 8;
        into[at++] = bits >> count;
        bits &= (1 << count) - 1;
      }
    }
  }
  if (count > 0) into[at++] = (bits << (8 - count)) | (0xff >> count);
  return at;
}

function codes(): number[] {
  const all: number[] = LENGTHS.map(() => 0);
  let next = 0;
  for (let length = MIN_LENGTH; length <= MAX_LENGTH; length++) {
    next *= 2;
    for (let symbol = 0; symbol <= EOS; symbol++) if (LENGTHS[symbol] === length) all[symbol] = next++;
  }
  return all;
}

function buildSteps(): void {
  // The children of each inner node: another inner node, or -1 - symbol. 0 is not there yet: no node leads to the root.
  const children: [number, number][] = [[0, 0]];
  const childOf = (node: number, bit: number): number => children[node]?.[bit === 0 ? 0 : 1] ?? 0;
  const paddings = [0];
  for (let symbol = 0; symbol <= EOS; symbol++) {
    let node = 0;
    const length = LENGTHS[symbol] ?? 0;
    for (let left = length - 1; left >= 0; left--) {
      const bit = ((CODES[symbol] ?? 0) >>> left) & 1;
      const of = children[node];
      if (of === undefined) throw new Error('the Huffman code has no tree');
      let next = childOf(node, bit);
      if (left === 0) next = -1 - symbol;
      else if (next === 0) next = children.push([0, 0]) - 1;
      of[bit === 0 ? 0 : 1] = next;
      node = next;
      if (symbol === EOS && length - left <= MAX_PADDING) paddings.push(node);
    }
  }
  for (const state of paddings) MAY_END[state] = 1;
  for (let state = 0; state < children.length; state++) {
    for (let bits = 0; bits < 16; bits++) STEPS[(state << 4) | bits] = stepOf(state, bits, childOf);
  }
}

function stepOf(state: number, bits: number, childOf: (node: number, bit: number) => number): number {
  let node = state;
  let symbol = 0;
  for (let left = 3; left >= 0; left--) {
    const next = childOf(node, (bits >> left) & 1);
    if (next === -1 - EOS) return IS_INVALID;
    if (next < 0) symbol = HAS_SYMBOL | ((-1 - next) << 8);
    node = Math.max(next, 0);
  }
  return symbol | node;
}
