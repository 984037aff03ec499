import { randomFillSync } from 'node:crypto';

/** Bytes made at a time: one call per id would cost more than the id. The pool is a string of which ids are slices. */
const POOL_BYTES = 2_048;

/** Makes random hexadecimal digits, for ids that must be unpredictable and unique. */
export function randomHexSource(): (bytes: number) => string {
  const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
  let digits = '';
  let at = 0;
  return (bytes) => {
    if (at + bytes * 2 > digits.length) {
      digits = randomFillSync(pool).toString('hex');
      at = 0;
    }
    at += bytes * 2;
    return digits.slice(at - bytes * 2, at);
  };
}
