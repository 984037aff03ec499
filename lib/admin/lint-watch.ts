import { expiryFault } from '../diagnostics/certificate-faults.ts';
import { lint } from '../diagnostics/lint.ts';
import { METADATA_KINDS, type RouteEditor } from '../store/editor/route-editor.ts';
import type { Problem } from './answers.ts';

/** Problems that are kept. */
const MAX_PROBLEMS = 500;
/** The pause between two runs, ms, and in times of what the last run took. */
const PAUSE_MS = 30_000;
const PAUSE_TIMES = 20;

/** A certificate of the configuration. */
export interface ConfiguredCertificate {
  /** Where it is configured: `https.cert`. */
  readonly name: string;
  /** ms since 1970; Infinity where that cannot be read. */
  readonly expiresAt: number;
}

/**
 * Runs `hipache lint` repeatedly while clients request its errors, and for certificates that expire soon: those of
 * the store, and the configuration's.
 */
export class LintWatch {
  readonly #editor: RouteEditor;
  readonly #configured: readonly ConfiguredCertificate[];
  #problems: readonly Problem[] = [];
  #isRunning = false;
  #nextAt = -Infinity;

  constructor(editor: RouteEditor, configured: readonly ConfiguredCertificate[]) {
    this.#editor = editor;
    this.#configured = configured;
  }

  /** What the last complete run found. Begins another one if that was a while ago, and does not wait for it. */
  get problems(): readonly Problem[] {
    if (!this.#isRunning && performance.now() >= this.#nextAt) void this.#run();
    return [...configuredProblems(this.#configured, Date.now()), ...this.#problems];
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    const startedAt = performance.now();
    try {
      this.#problems = await findings(this.#editor);
    } catch {
      // The store cannot be read, which is shown elsewhere. What was found before may still hold.
    }
    this.#isRunning = false;
    const now = performance.now();
    this.#nextAt = now + PAUSE_MS + PAUSE_TIMES * (now - startedAt);
  }
}

async function findings(editor: RouteEditor): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for await (const { key, code, severity, text, advice } of lint(editor)) {
    const isCertificate = code.startsWith('tls-');
    if (severity !== 'error' && code !== 'tls-expires') continue;
    // The faults of frontends' own lists are read with them, more often.
    if (isFrontend(editor, key) && code !== 'path-unlisted') continue;
    const kind = isCertificate ? 'certificate' : 'fault';
    problems.push({ kind, severity, frontend: null, text: `${key}: ${code}: ${text}`, advice });
    if (problems.length >= MAX_PROBLEMS) break;
  }
  return problems;
}

/** In a routes file every key could be a frontend's: those of metadata begin with their kind. */
function isFrontend(editor: RouteEditor, key: string): boolean {
  const isMetadata = METADATA_KINDS.some((kind) => key.startsWith(editor.metadataKey(kind, '')));
  return !isMetadata && editor.frontendKey(key) !== null;
}

function configuredProblems(configured: readonly ConfiguredCertificate[], now: number): readonly Problem[] {
  return configured.flatMap(({ name, expiresAt }) => {
    const found = expiryFault({ expiresAt }, now);
    if (found === null) return [];
    const { code, severity, text, advice } = found;
    return [{ kind: 'certificate', severity, frontend: null, text: `${name}: ${code}: ${text}`, advice } as const];
  });
}
