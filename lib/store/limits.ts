/** Elements of one frontend's list, identifier included. More than this is a mistake, and would stall the router. */
export const MAX_LIST = 10_000;
