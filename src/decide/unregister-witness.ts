import { describeNode, type NodeRecord } from "../model/node-record.js";
import { judgeDependents, warnAboutVoters, type UnregistrationDecision } from "./unregister.js";

export interface WitnessUnregistrationFacts {
  /** As the primary knows them. */
  readonly records: readonly NodeRecord[];
  readonly target: NodeRecord;
}

/** Plans `witness unregister` (reference: repmgr-cli 1.11). */
export function planWitnessUnregistration({
  records,
  target,
}: WitnessUnregistrationFacts): UnregistrationDecision {
  if (target.type !== "witness") {
    const message = `node ${target.nodeId} is not a witness node`;
    const detail = `node ${describeNode(target)} is a ${target.type} node`;
    const hint = "name the witness with --node-id or --node-name";
    return { kind: "refused", problems: [{ message, detail, hint }] };
  }
  const dependents = judgeDependents(records, target);
  if (dependents !== null) return { kind: "refused", problems: [dependents] };
  const voters = warnAboutVoters(records, target);
  return { kind: "ready", target, warnings: voters === null ? [] : [voters] };
}
