/** What the router does for slow and early clients, in both lanes: for how long, and up to which size. */

/** How long the first part of a request's body is awaited before a backend is chosen, ms. */
export const GATHER_MS = 100;
/** A request's body that was sent is kept up to this size, so that it can be sent again after a stale connection, bytes. */
export const REPLAY_BYTES = 65_536;
/** Bytes that a client may send ahead of the response to an earlier request, or to a handshake: past that it is not read. */
export const AHEAD_BYTES = 65_536;
/** How long a connection that was ended stays open for its client to read why, ms. */
export const LINGER_MS = 2_000;
