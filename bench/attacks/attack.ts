/** What an attack of tenant A is: it runs in `children/attack.ts`, a process of its own. */
export interface Target {
  readonly port: number;
  readonly tlsPort: number;
  /** How long it lasts. */
  readonly seconds: number;
}

export interface Attack {
  /** What `--attacks` calls it. */
  readonly name: string;
  /** What the tables call it. */
  readonly label: string;
  /** Resolves when its time is over and all is closed. @returns how many requests or connections it has begun */
  run(target: Target): Promise<number>;
}

/** The addresses of A's clients, so that a limit for one client is no limit for A. */
export const ADDRESSES: readonly string[] = Array.from({ length: 100 }, (_, n) => `127.0.1.${n + 1}`);
