/** How long a connection to a backend is kept that no request uses, ms: of the fast lane, and by HTTP/2. */
export const IDLE_MS = 60_000;
