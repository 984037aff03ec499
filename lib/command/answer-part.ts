/** An object of a response. A missing member, or one of another type, counts as absent. */
export class Part {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    this.#fields = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  }

  part(name: string): Part {
    return new Part(this.#fields[name]);
  }

  parts(name: string): readonly Part[] {
    return this.#list(name).map((each) => new Part(each));
  }

  text(name: string): string {
    const value = this.#fields[name];
    return typeof value === 'string' ? value : '-';
  }

  texts(name: string): readonly string[] {
    return this.#list(name).map(String);
  }

  flag(name: string): boolean {
    return this.#fields[name] === true;
  }

  number(name: string): number | null {
    const value = this.#fields[name];
    return typeof value === 'number' ? value : null;
  }

  /** The last value of a series: that of the last full second. */
  last(name: string): number | null {
    const value = this.#list(name).at(-1);
    return typeof value === 'number' ? value : null;
  }

  #list(name: string): readonly unknown[] {
    const value = this.#fields[name];
    return Array.isArray(value) ? value : [];
  }
}
