import { randomFillSync } from 'node:crypto';

/** Bytes asked for at a time: a call for each id would cost more than the id. */
const POOL_BYTES = 4_096;

/** Makes random hexadecimal digits, good enough for ids that nobody may foresee or meet twice. */
export function randomHexSource(): (bytes: number) => string {
  const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
  let at = POOL_BYTES;
  return (bytes) => {
    if (at + bytes > POOL_BYTES) {
      randomFillSync(pool);
      at = 0;
    }
    at += bytes;
    return pool.toString('hex', at - bytes, at);
  };
}
