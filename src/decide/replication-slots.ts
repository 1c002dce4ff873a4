import type { Problem } from "../model/problem.js";
import type { CloneFacts, CloneProblem, CloneRequest, SourceServer } from "./clone-facts.js";
import { walMethodOf } from "./base-backup-command.js";

/** By which right a replication slot is made and dropped; a user of null is that of the connection. */
export type SlotCreator =
  | { readonly method: "sql"; readonly user: string | null }
  | { readonly method: "protocol"; readonly user: string };

/** The reference's order (repmgr 5.5, replication slots): own right, `-S`, `--replication-user`, the upstream's user. */
export function chooseSlotCreator(
  request: Pick<CloneRequest, "superuser" | "replicationUser">,
  source: Pick<SourceServer, "role" | "user">,
  upstreamReplicationUser: string | null,
): SlotCreator | null {
  if (source.role.isSuperuser || source.role.mayReplicate) return { method: "sql", user: null };
  if (request.superuser !== null) return { method: "sql", user: request.superuser };
  if (request.replicationUser !== null) return { method: "protocol", user: request.replicationUser };
  if (upstreamReplicationUser !== null && upstreamReplicationUser !== source.user) {
    return { method: "protocol", user: upstreamReplicationUser };
  }
  return null;
}

const slotProblem = (problem: Problem): CloneProblem => ({ kind: "replication-slot", ...problem });

/** Whether the source can hold the slots that this clone needs: the node's own, or the temporary one of pg_basebackup. */
export function judgeSlots(
  { source, target }: Pick<CloneFacts, "source" | "target">,
  request: CloneRequest,
  { slotName, creator }: { readonly slotName: string; readonly creator: SlotCreator | null },
): readonly CloneProblem[] {
  const maximum = Number(source.settings.get("max_replication_slots"));
  if (!request.useReplicationSlots) return judgeTemporarySlot(source, request, maximum);
  if (maximum < 1) {
    return [
      {
        kind: "prerequisite",
        message: 'parameter "max_replication_slots" must be set to at least 1 to enable replication slots',
        detail: `current setting is ${maximum}`,
        hint: "change it in postgresql.conf of the source and restart it, or set use_replication_slots to false",
      },
    ];
  }
  const problems: CloneProblem[] = [];
  if (creator === null) {
    problems.push(
      slotProblem({
        message: `user "${source.user}" does not have permission to create replication slots`,
        hint: `grant it with ALTER ROLE … REPLICATION, or provide a superuser with -S/--superuser or a replication user with --replication-user`,
      }),
    );
  }
  const { slot } = source;
  if (slot === null && source.usedSlots >= maximum) {
    problems.push(slotProblem(noFreeSlot(source, maximum)));
  } else if (slot !== null && !slot.isPhysical) {
    problems.push(
      slotProblem({
        message: `replication slot "${slotName}" exists but is not a physical slot`,
        hint: "drop it, or use another node_id",
      }),
    );
    // The slot of a clone that was killed is released within moments; the step that takes it waits for that.
  } else if (slot !== null && slot.isActive && target.unfinishedClone === null) {
    const detail = "a server with the same node_id streams from the source";
    problems.push(
      slotProblem({
        message: `replication slot "${slotName}" already exists as an active slot`,
        detail,
        hint: "check node_id in repmgr.conf",
      }),
    );
  }
  return problems;
}

const noFreeSlot = (source: SourceServer, maximum: number): Problem => ({
  message: "no free replication slot on the source node",
  detail: `${source.usedSlots} replication slots exist, "max_replication_slots" is ${maximum}`,
  hint: 'drop slots that are no longer used, or raise "max_replication_slots" on the source and restart it',
});

function judgeTemporarySlot(
  source: SourceServer,
  request: CloneRequest,
  maximum: number,
): readonly CloneProblem[] {
  const { slot, noSlot } = request.baseBackupOptions;
  const needsOne = walMethodOf(request) === "stream" && slot === null && !noSlot;
  if (!needsOne || source.usedSlots < maximum) return [];
  const problem = noFreeSlot(source, maximum);
  const hint = `${problem.hint}; or set pg_basebackup_options to '--no-slot'`;
  return [{ kind: "prerequisite", ...problem, hint }];
}
