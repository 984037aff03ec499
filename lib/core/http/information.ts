/**
 * How many 1xx responses a backend may send to a request. Each one is passed on and renews the time limit, so that
 * without this bound a backend could hold a request for ever.
 */
export const MOST_INFORMATION = 100;
