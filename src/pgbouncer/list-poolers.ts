import type { Settings } from "../config/settings-table.js";
import { parseConninfo } from "../model/conninfo.js";
import { parsePoolerAddress } from "../model/pooler.js";
import type { PoolerAccess } from "./lead-pooler.js";

type PoolerEffects = Pick<PoolerAccess, "databases" | "processes" | "remoteHosts">;

/** The pgbouncers that this node's settings name, each with the way to it; none when there are no such settings. */
export function listPoolers({
  settings,
  databases,
  processes,
  remoteHosts,
}: PoolerEffects & { readonly settings: Settings }): readonly PoolerAccess[] {
  const conninfo = parseConninfo(settings.conninfo);
  return settings.pgbouncer_hosts.flatMap((text) => {
    const pooler = parsePoolerAddress(text, settings.pgbouncer_port);
    if (pooler === null) return [];
    return {
      databases,
      processes,
      remoteHosts,
      pooler,
      user: settings.pgbouncer_user || (conninfo.get("user") ?? ""),
      passfile: conninfo.get("passfile") ?? "",
      names: settings.pgbouncer_databases,
      file: settings.pgbouncer_database_file,
      timeoutMs: settings.pgbouncer_pause_timeout,
    };
  });
}
