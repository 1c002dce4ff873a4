/** The oldest PostgreSQL that is supported, as a server numbers itself. */
export const OLDEST_SERVER_VERSION = 130_000;
