import { Shares } from './shares.ts';

/** Files of one worker at a time. */
const FILES = 1_000;

/** Limits what the buffers of bodies of a worker take, shared among sites. */
export class BufferBudget {
  /** Bytes in memory. */
  readonly memory: Shares;
  /** Bytes in files, and files. */
  readonly fileBytes: Shares;
  readonly files = new Shares(FILES);

  /** @param memoryBytes, fileBytes of all buffers; 0 is none */
  constructor(memoryBytes: number, fileBytes: number) {
    this.memory = new Shares(memoryBytes);
    this.fileBytes = new Shares(fileBytes);
  }

  /** Whether a site may have another file. */
  mayOpen(site: string): boolean {
    return !this.files.isSpent(site) && !this.fileBytes.isSpent(site);
  }
}
