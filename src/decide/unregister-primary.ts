import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import type { ServerRole } from "./register-primary.js";
import { judgeDependents, warnAboutVoters, type UnregistrationDecision } from "./unregister.js";

export interface PrimaryUnregistrationFacts {
  /** As the registered primary knows them. */
  readonly records: readonly NodeRecord[];
  readonly registeredPrimaryId: NodeId;
  readonly target: NodeRecord;
  readonly targetRole: ServerRole;
}

/** Plans `primary unregister` (reference: repmgr-cli 1.2); all problems at once. */
export function planPrimaryUnregistration(
  facts: PrimaryUnregistrationFacts,
  { force }: { readonly force: boolean },
): UnregistrationDecision {
  const { records, target } = facts;
  if (target.type === "witness") {
    const message = `node ${describeNode(target)} is a witness server, unable to unregister`;
    return refuse([
      { message, hint: `use "witness unregister --node-id=${target.nodeId}" for a witness server` },
    ]);
  }
  const problems = [judgeDependents(records, target), judgeTarget(facts, force)];
  const found = problems.filter((problem) => problem !== null);
  if (found.length > 0) return refuse(found);
  const warnings = [warnAboutLastPrimary(facts), warnAboutVoters(records, target)];
  return { kind: "ready", target, warnings: warnings.filter((warning) => warning !== null) };
}

const refuse = (problems: readonly Problem[]): UnregistrationDecision => ({ kind: "refused", problems });

function judgeTarget(facts: PrimaryUnregistrationFacts, force: boolean): Problem | null {
  const { target, targetRole, registeredPrimaryId } = facts;
  const name = describeNode(target);
  if (targetRole === "standby" && target.type !== "primary")
    return isNotAPrimary(`node ${name} is a ${target.type}, unable to unregister`, target);
  if (targetRole === "unreachable" && target.type !== "primary")
    return isNotAPrimary(`node ${name} is not a primary, unable to unregister`, target);
  if (force) return null;
  if (targetRole === "standby") {
    return {
      message: `node ${name} is running as a standby, unable to unregister`,
      hint: 'correct its record with "standby register --force" on that node, or remove it with "primary unregister --force"',
    };
  }
  if (targetRole === "primary" && target.nodeId === registeredPrimaryId) {
    return {
      message: `node ${name} is the current primary node, unable to unregister`,
      hint: "make another node the primary first; -F/--force removes the record of a primary that nothing depends on",
    };
  }
  if (!target.active) return null;
  return {
    message: `node ${name} is marked as active, unable to unregister`,
    hint: 'run "primary unregister --force" to unregister this node',
  };
}

const isNotAPrimary = (message: string, { nodeId }: NodeRecord): Problem => ({
  message,
  hint: `the node can be unregistered with "standby unregister --node-id=${nodeId}"`,
});

function warnAboutLastPrimary({ target, registeredPrimaryId }: PrimaryUnregistrationFacts): Problem | null {
  if (target.nodeId !== registeredPrimaryId) return null;
  return {
    message: "no primary is registered in this cluster any more",
    hint: 'register one with "primary register"',
  };
}
