/** How long an idle connection to a backend is kept, ms: by the fast lane, and with HTTP/2. */
export const IDLE_MS = 60_000;
