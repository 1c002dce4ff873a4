/** The oldest PostgreSQL that is supported, as a server numbers itself: `primary_conninfo` can be reloaded since then. */
export const OLDEST_SERVER_VERSION = 130_000;
