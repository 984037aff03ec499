import { faulty, type StoredCertificate, storedPair, NO_CERTIFICATE } from '../certificates.ts';
import { isReplyError, type RedisLink, unavailable } from '../redis-client/link.ts';
import { refused } from './lookups.ts';

/** Certificates in Redis, as in PlanB: a hash `tls:<host>` with the fields `certificate` and `key`. */
export class RedisCertificates {
  readonly #link: RedisLink;
  readonly #prefix: string;

  /** @param prefix precedes `tls:` */
  constructor(link: RedisLink, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
  }

  nameOf(key: string): string {
    return `${this.#prefix}tls:${key}`;
  }

  /** The current content of a key. @throws RouterError `store-unavailable`, within the link's time limit */
  async read(key: string): Promise<StoredCertificate> {
    try {
      return storedOfReply(await this.#link.send(['hmget', this.nameOf(key), ...FIELDS], this.#link.deadline()));
    } catch (error) {
      if (!isReplyError(error)) throw error;
      if (error.message.startsWith('WRONGTYPE')) return faulty('wrong-type', 'is no hash');
      // Other keys may be readable: the fault is reported, and the default certificate is used.
      if (error.message.startsWith('NOPERM')) return faulty('unreadable', 'may not be read by this Redis user');
      throw refused(error);
    }
  }
}

const FIELDS = ['certificate', 'key'] as const;

/** @throws RouterError `store-unavailable` for an invalid reply, which is not shown, since it may contain a key */
export function storedOfReply(reply: unknown): StoredCertificate {
  if (!Array.isArray(reply) || reply.length !== FIELDS.length) throw unavailable('it sent an invalid reply');
  const [certificate, key]: unknown[] = reply;
  return certificate === null && key === null ? NO_CERTIFICATE : storedPair(certificate, key);
}
