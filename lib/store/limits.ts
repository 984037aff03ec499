/** Elements of one frontend's list, identifier included. More than this is a mistake, and would stall the router. */
export const MAX_LIST = 10_000;

/** A hash of options with more fields is none. */
export const MAX_FIELDS = 100;
/** The prefixes of one frontend that are remembered; where there are more, the store is asked for each request. */
export const MAX_NAMES = 10_000;
