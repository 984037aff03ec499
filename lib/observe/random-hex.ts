import { randomFillSync } from 'node:crypto';

/** Bytes made at a time: a call for each id would cost more than the id. Whoever keeps an id keeps as many digits. */
const POOL_BYTES = 2_048;

/** Makes random hexadecimal digits, good enough for ids that nobody may foresee or meet twice. */
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
