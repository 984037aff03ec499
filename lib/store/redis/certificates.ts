import { faulty, type StoredCertificate, storedPair, NO_CERTIFICATE } from '../certificates.ts';
import { isReplyError, type RedisLink, unavailable } from '../redis-client/link.ts';
import { refused } from './lookups.ts';

/** Certificates in Redis as PlanB has them: a hash `tls:<host>` with the fields `certificate` and `key`. */
export class RedisCertificates {
  readonly #link: RedisLink;
  readonly #prefix: string;

  /** @param prefix what stands before `tls:` */
  constructor(link: RedisLink, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
  }

  nameOf(key: string): string {
    return `${this.#prefix}tls:${key}`;
  }

  /** What stands under a key now. @throws RouterError `store-unavailable`, within the link's time limit */
  async read(key: string): Promise<StoredCertificate> {
    try {
      return storedOfReply(await this.#link.send(['hmget', this.nameOf(key), ...FIELDS], this.#link.deadline()));
    } catch (error) {
      if (!isReplyError(error)) throw error;
      if (error.message.startsWith('WRONGTYPE')) return faulty('wrong-type', 'is no hash');
      // The rest of Redis may be well: what this user lacks is to be said, and the default serves.
      if (error.message.startsWith('NOPERM')) return faulty('unreadable', 'may not be read by this Redis user');
      throw refused(error);
    }
  }
}

const FIELDS = ['certificate', 'key'] as const;

/** @throws RouterError `store-unavailable` for what is no reply to HMGET; what came is not told: it may be a key */
export function storedOfReply(reply: unknown): StoredCertificate {
  if (!Array.isArray(reply) || reply.length !== FIELDS.length) throw unavailable('it replied what nobody understands');
  const [certificate, key]: unknown[] = reply;
  return certificate === null && key === null ? NO_CERTIFICATE : storedPair(certificate, key);
}
