import type { RejoinStep } from "../../../decide/rejoin.js";
import { maskConninfo } from "../../../model/conninfo.js";
import { describeNode } from "../../../model/node-record.js";
import { showRewindCommand } from "../../../postgres/rewind.js";
import { describeDiscardedRecord } from "../../attach-standby.js";
import type { Rejoining } from "./execute.js";
import { describeWalRange } from "./rewind.js";

interface StepSurroundings extends Pick<Rejoining, "target" | "own" | "archive"> {
  /** Null where nothing is rewound. */
  readonly command: Rejoining["command"] | null;
}

/** What a step does, after "would". */
export function describeRejoinStep(
  step: RejoinStep,
  { target, own, archive, command }: StepSurroundings,
): string {
  switch (step.kind) {
    case "rewind": {
      const lost = step.discards === null ? "" : `, discarding WAL of ${describeWalRange(step.discards)}`;
      return `execute pg_rewind${lost}${command === null ? "" : `:\n  ${showRewindCommand(command)}`}`;
    }
    case "restore-files":
      return `keep ${archive === null || archive.files.length === 0 ? "no configuration files" : archive.files.join(", ")} through the rewind`;
    case "create-slot":
      return `create replication slot "${step.name}" on node ${describeNode(target)}`;
    case "write-configuration":
      return `write primary_conninfo = '${maskConninfo(step.parameters.get("primary_conninfo") ?? "")}' into postgresql.auto.conf`;
    case "discard-incomplete-record":
      return describeDiscardedRecord(step.record);
    case "start-server":
      return "start this server as a standby";
    case "record-upstream":
      return `record node ${target.nodeId} as the upstream of this node`;
    case "await-attachment":
      return `wait until this node streams from node ${describeNode(target)}`;
    case "drop-local-slot":
      return step.name === null
        ? `look for replication slots that are left on node ${own.nodeId}`
        : `drop replication slot "${step.name}" on node ${own.nodeId} if it is there and inactive`;
    case "drop-former-slot":
      return `drop replication slot "${step.name}" on node ${describeNode(step.upstream)}`;
  }
}
