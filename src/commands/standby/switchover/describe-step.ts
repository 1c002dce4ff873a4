import type { SwitchoverStep } from "../../../decide/switchover.js";
import { needOf, reachableSiblings } from "../../../decide/siblings.js";
import type { SwitchoverFacts, SwitchoverRules } from "../../../decide/switchover-facts.js";
import { parseConninfo } from "../../../model/conninfo.js";
import { describeNode, type NodeRecord } from "../../../model/node-record.js";

/** What `--dry-run` shows of a step, in full sentences as the reference has them. */
export function describeSwitchoverStep(
  step: SwitchoverStep,
  {
    own,
    primary,
    records,
  }: { readonly own: NodeRecord; readonly primary: NodeRecord; readonly records: readonly NodeRecord[] },
): string {
  switch (step.kind) {
    case "pause-daemons":
      return `would pause repmgrd on ${step.nodes.map((node) => `node ${describeNode(node)}`).join(", ")}`;
    case "stop-primary":
      return step.command === ""
        ? `would wait until node ${describeNode(primary)} is shut down`
        : `following shutdown command would be run on node "${primary.nodeName}":\n  "${step.command}"`;
    case "promote":
      return `would promote node ${describeNode(own)}, once it has received the last WAL of node ${describeNode(primary)}`;
    case "rejoin":
      return `would execute NODE REJOIN on node ${describeNode(primary)}${step.rewinds ? ", with pg_rewind if it diverged" : ""}`;
    case "follow":
      return `would let ${step.siblings.map((node) => `node ${describeNode(node)}`).join(", ")} follow node ${describeNode(own)}`;
    case "drop-slots":
      return `would drop replication slots ${step.names.map((name) => `"${name}"`).join(", ")} on node ${describeNode(primary)} once they are unused`;
    case "unpause-daemons": {
      const named = records.filter(({ nodeId }) => step.nodes.includes(nodeId));
      return `would unpause repmgrd on ${named.map((node) => `node ${describeNode(node)}`).join(", ")}`;
    }
  }
}

/** The checks that passed, as `--dry-run` lists them. */
export function describeChecks(
  { primary, candidate, remote, siblings }: SwitchoverFacts,
  { siblingsFollow }: SwitchoverRules,
): readonly string[] {
  if (remote.kind === "unusable") return [];
  const host = parseConninfo(primary.conninfo).get("host") ?? "";
  const { room, lagSeconds } = candidate;
  const need = needOf(primary, siblingsFollow ? reachableSiblings(siblings) : []);
  return [
    `SSH connection to host "${host}" succeeded`,
    `able to execute "${remote.product}" on remote host "${host}"`,
    ...(siblingsFollow && siblings.every(({ problem }) => problem === null)
      ? ["all sibling nodes are reachable via SSH"]
      : []),
    `${need.walSenders} walsenders required, ${room.maxWalSenders - room.usedWalSenders} available`,
    "demotion candidate is able to make replication connection to promotion candidate",
    ...(remote.archive?.kind === "answered" ? [`${remote.archive.files} pending archive files`] : []),
    ...(lagSeconds === null ? [] : [`replication lag on this standby is ${lagSeconds} seconds`]),
    `${need.slots} replication slots required, ${room.maxSlots - room.activeSlots} available`,
  ];
}
