/**
 * The maximum number of elements of a list, identifier included. A longer list is an error, and would block the router.
 */
export const MAX_LIST = 10_000;

/** The maximum number of prefixes of a frontend that are remembered. With more, the store is asked for each request. */
export const MAX_NAMES = 10_000;
