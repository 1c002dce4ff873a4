import type { Lsn } from "../model/lsn.js";
import { renderSyncState, type SyncLook, type SyncStep } from "../model/sync-state.js";
import type { Database } from "../postgres/database.js";
import { changeStandbyNames } from "../postgres/synchronous-standbys.js";
import type { Clock } from "../system/clock.js";
import { lookAtSync, withSyncLock, writeSyncState } from "./sync-state.js";

/** What is judged: a look at the primary, and the end of its log when all was first seen as it is now. */
export interface SyncMoment {
  readonly look: SyncLook;
  readonly since: Lsn | null;
}

/** Leads a primary step by step to the set of its registered nodes. */
export interface SyncDriver {
  /** Takes one step; null when somebody else is at it. Throws DatabaseError. */
  turn(primary: Database): Promise<SyncStep | null>;
}

export function createSyncDriver(
  clock: Pick<Clock, "sleep" | "monotonic">,
  judge: (moment: SyncMoment) => SyncStep,
): SyncDriver {
  let seen: { readonly what: string; readonly lsn: Lsn } | null = null;
  return {
    turn: (primary) =>
      withSyncLock(primary, async () => {
        const look = await lookAtSync(primary);
        const what = `${look.names} ${look.state === null ? "" : renderSyncState(look.state)}`;
        const since = seen?.what === what ? seen.lsn : null;
        if (since === null) seen = { what, lsn: look.lsn };
        const step = judge({ look, since });
        if (step.kind === "write-state") await writeSyncState(primary, step.state);
        if (step.kind === "set-names") await changeStandbyNames(primary, clock, step.names);
        return step;
      }),
  };
}
