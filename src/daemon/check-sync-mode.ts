import { judgePreferred } from "../decide/sync-offer.js";
import type { Settings } from "../config/settings-table.js";
import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import type { NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import { ownRecord, queryTimeoutMs, type Runtime } from "./runtime.js";

/** A promise that cannot be kept is not made: why not, or null. */
export function judgeSyncMode(
  { sync_mode: mode }: Pick<Settings, "sync_mode">,
  records: readonly NodeRecord[],
): Problem | null {
  return mode === "preferred" ? judgePreferred(records) : null;
}

/** What this node must be able to do and to remember before it takes part. Throws UserError. */
export async function requireSyncMode(runtime: Runtime): Promise<void> {
  const settings = runtime.context.settings();
  const problem = judgeSyncMode(settings, runtime.records) ?? (await findObstacle(runtime, settings));
  if (problem !== null) throw new UserError(exitCodes.badConfiguration, problem);
}

async function findObstacle(
  runtime: Runtime,
  { sync_mode: mode }: Pick<Settings, "sync_mode">,
): Promise<Problem | null> {
  if (mode === "off" || ownRecord(runtime)?.type === "witness") return null;
  if (runtime.memory.spoolFile === null) {
    return {
      message: `"sync_mode" "${mode}" needs a directory for what the daemon must remember`,
      detail: runtime.memory.forgottenBecause ?? "there is none",
      hint: 'set "state_directory" in repmgr.conf to a directory that outlives this host\'s restart',
    };
  }
  const user = await runtime.own.use(queryTimeoutMs(runtime), (database) =>
    Promise.resolve({ isSuperuser: database.isSuperuser }),
  );
  if (user.kind !== "answered" || user.value.isSuperuser) return null;
  return {
    message: `"sync_mode" "${mode}" needs a superuser in "conninfo"`,
    detail: "synchronous_standby_names and primary_conninfo are set with ALTER SYSTEM",
    hint: "make the user of repmgr.conf a superuser: ALTER ROLE … SUPERUSER",
  };
}
