/** How many bytes an entry counts for besides its name and value (RFC 7541 §4.1). */
export const ENTRY_OVERHEAD = 32;
/** The number of places at the first entry; a power of two, like all later numbers. */
const FIRST_PLACES = 16;

/**
 * The fields that a connection's earlier blocks have added, latest first (RFC 7541 §2.3.2). A ring: entries never move.
 * Memory: its `maxBytes`, and two references for each entry.
 */
export class DynamicTable {
  #maxBytes: number;
  #bytes = 0;
  #entries = 0;
  /** The number of entries added since the beginning. The latest is at place `added - 1`, modulo the places. */
  #added = 0;
  #names: string[] = [];
  #values: string[] = [];
  #mask = -1;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The number of entries. */
  get entries(): number {
    return this.#entries;
  }

  /** The number of entries added since the beginning, those included that are gone. */
  get added(): number {
    return this.#added;
  }

  /** The size of all entries, as RFC 7541 §4.1 counts it. Names and values must be latin1: a character is a byte. */
  get bytes(): number {
    return this.#bytes;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** @param age 0 for the latest entry; less than `entries` */
  nameAt(age: number): string {
    return this.#names[(this.#added - 1 - age) & this.#mask] ?? '';
  }

  /** @param age 0 for the latest entry; less than `entries` */
  valueAt(age: number): string {
    return this.#values[(this.#added - 1 - age) & this.#mask] ?? '';
  }

  /** Adds an entry, and removes the oldest ones to make room. One that is too large only empties the table (§4.4). */
  add(name: string, value: string): void {
    const bytes = name.length + value.length + ENTRY_OVERHEAD;
    this.#shrinkTo(this.#maxBytes - bytes);
    if (bytes > this.#maxBytes) return;
    if (this.#entries > this.#mask) this.#grow();
    const place = this.#added++ & this.#mask;
    this.#names[place] = name;
    this.#values[place] = value;
    this.#entries++;
    this.#bytes += bytes;
  }

  /** Changes the maximum size, and removes the oldest entries above it (§4.3). */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#shrinkTo(maxBytes);
  }

  #shrinkTo(bytes: number): void {
    while (this.#bytes > bytes && this.#entries > 0) {
      const place = (this.#added - this.#entries) & this.#mask;
      this.#bytes -= (this.#names[place] ?? '').length + (this.#values[place] ?? '').length + ENTRY_OVERHEAD;
      this.#names[place] = '';
      this.#values[place] = '';
      this.#entries--;
    }
  }

  #grow(): void {
    const places = this.#mask < 0 ? FIRST_PLACES : 2 * (this.#mask + 1);
    const names = Array.from({ length: places }, () => '');
    const values = [...names];
    for (let i = this.#added - this.#entries; i < this.#added; i++) {
      names[i & (places - 1)] = this.#names[i & this.#mask] ?? '';
      values[i & (places - 1)] = this.#values[i & this.#mask] ?? '';
    }
    this.#names = names;
    this.#values = values;
    this.#mask = places - 1;
  }
}
