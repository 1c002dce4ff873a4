/** Where a pgbouncer listens; `host` as libpq takes it. */
export interface PoolerAddress {
  readonly host: string;
  readonly port: number;
}

/** The server that a pgbouncer's databases lie on. */
export interface PoolerTarget {
  readonly host: string;
  readonly port: number;
}

/** Reads `HOST`, `HOST:PORT` and `[IPv6]:PORT`; null when it is none of these. */
export function parsePoolerAddress(text: string, defaultPort: number): PoolerAddress | null {
  const bare = /^[^\s:[\]]*:[^\s[\]]*:[^\s[\]]*$/.test(text);
  const match = bare ? null : /^(?:\[([^\s[\]]+)\]|([^\s:[\]]+))(?::(\d+))?$/.exec(text);
  const host = bare ? text : (match?.[1] ?? match?.[2]);
  const port = Number(match?.[3] ?? defaultPort);
  return host === undefined || port < 1 || port > 65535 ? null : { host, port };
}

export function formatPoolerAddress({ host, port }: PoolerAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Whether its files are this host's, by the ways to write that; any other name may be another host. */
export function isLocalPooler({ host }: PoolerAddress): boolean {
  return host.startsWith("/") || ["localhost", "127.0.0.1", "::1"].includes(host);
}

/** The name of a database in the console's statements; the fallback entry "*" means all of them. */
export function nameInConsole(database: string): string {
  return database === "*" ? "" : ` "${database.replaceAll('"', '""')}"`;
}

/** How a PAUSE of one database ended. `busy`: new transactions wait, some old ones had not ended in time. */
export type PauseOutcome =
  | { readonly kind: "paused" }
  | { readonly kind: "busy" }
  | { readonly kind: "failed"; readonly reason: string };

/** What becomes of the text of a database file. */
export type Redirection =
  | { readonly kind: "changed"; readonly text: string; readonly changes: readonly EntryChange[] }
  | { readonly kind: "unchanged" }
  | { readonly kind: "refused"; readonly reason: string };

/** Which server a pgbouncer is to lead to, and how its database file's text becomes the one that does. */
export interface PoolerAim {
  readonly target: PoolerTarget;
  readonly rewrite: (text: string) => Redirection;
}

export interface EntryChange {
  readonly database: string;
  /** Where the entry pointed to, as `host:port`; null when there was none. */
  readonly from: string | null;
}

/** How leading one pgbouncer to a new primary ended; `changes` is empty when it led there already. */
export type RedirectOutcome =
  | { readonly kind: "redirected"; readonly changes: readonly EntryChange[] }
  | { readonly kind: "failed"; readonly reason: string };

/** pgbouncer's words for the `options` of a session; PostgreSQL has others. */
export const isRefusedByPooler = (reason: string): boolean =>
  reason.includes("unsupported startup parameter");
