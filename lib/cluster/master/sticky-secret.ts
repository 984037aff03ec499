import { randomBytes } from 'node:crypto';

const FORM = /^[\w-]{43}$/;

/**
 * The secret of sticky cookies where neither the configuration nor Redis has one, as with a routes file. It is the same in
 * all workers. A reload keeps it, and an upgrade hands it on (handed-certificates.ts); a restart does not.
 */
class OwnStickySecret {
  #current = randomBytes(32).toString('base64url');

  get current(): string {
    return this.#current;
  }

  /** Takes the predecessor's. Anything else than a secret is ignored: other versions hand on none. */
  inherit(secret: unknown): void {
    if (typeof secret === 'string' && FORM.test(secret)) this.#current = secret;
  }
}

/** This program's. */
export const ownStickySecret = new OwnStickySecret();
