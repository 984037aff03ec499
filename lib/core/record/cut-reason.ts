/**
 * Why a client was cut off within a response. `slow-reader`: it took nothing for `timeouts.response`, or less than
 * `limits.readMinRate`. `slot-needed`: it held one of its backend's slots while other requests waited for one.
 */
export type CutReason = 'slow-reader' | 'slot-needed';
