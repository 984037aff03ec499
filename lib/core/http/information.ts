/**
 * How many 1xx a backend may send before the answer to a request. Each one is passed on and renews the limit of time, so
 * that one that sends nothing else would keep the request for ever.
 */
export const MOST_INFORMATION = 100;
