import { describeNode, type NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import { judgeDependents, warnAboutVoters, type UnregistrationDecision } from "./unregister.js";

export interface StandbyUnregistrationFacts {
  /** As the primary knows them. */
  readonly records: readonly NodeRecord[];
  readonly target: NodeRecord;
  /** Whether the primary has a WAL sender for it. */
  readonly isAttached: boolean;
  /** The standby's replication slot where the primary has it. */
  readonly slotName: string | null;
}

/** Plans `standby unregister` (reference: repmgr-cli 1.6). */
export function planStandbyUnregistration(facts: StandbyUnregistrationFacts): UnregistrationDecision {
  const { records, target } = facts;
  if (target.type !== "standby") {
    const message = `node ${target.nodeId} is not a standby server`;
    const detail = `node ${describeNode(target)} is registered as a ${target.type}`;
    const hint = `use "${target.type} unregister" for such a node, or name a standby with --node-id or --node-name`;
    return { kind: "refused", problems: [{ message, detail, hint }] };
  }
  const dependents = judgeDependents(records, target);
  if (dependents !== null) return { kind: "refused", problems: [dependents] };
  const warnings = [warnAboutRemains(facts), warnAboutVoters(records, target)];
  return { kind: "ready", target, warnings: warnings.filter((warning) => warning !== null) };
}

/** Unregistering stops no server and drops no slot; a slot without its standby fills the primary's disk. */
function warnAboutRemains({ target, isAttached, slotName }: StandbyUnregistrationFacts): Problem | null {
  const drop = `"SELECT pg_catalog.pg_drop_replication_slot('${slotName}')" on the primary`;
  if (isAttached) {
    return {
      message: `node ${describeNode(target)} is still attached to the primary`,
      detail: "only its record is removed, the server goes on as a standby",
      hint:
        slotName === null
          ? "stop its server if it is not needed any more"
          : `if it is not needed any more, stop its server and then execute ${drop}`,
    };
  }
  if (slotName === null) return null;
  return {
    message: `replication slot "${slotName}" remains on the primary`,
    detail: "it retains all WAL that this standby has not received",
    hint: `if the standby does not come back, execute ${drop}`,
  };
}
