import type { Plan } from "../model/plan.js";
import type { Conninfo } from "../model/conninfo.js";
import type { NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import type { CloneRequest, CloneTarget, SlotFacts, SourceServer } from "./clone-facts.js";
import { slotNameFor, type OwnSlot } from "./clone.js";
import {
  buildPrimaryConninfo,
  decideRecoveryParameters,
  type RecoveryParameters,
} from "./recovery-parameters.js";
import { chooseSlotCreator } from "./replication-slots.js";

/** What decides about `--replication-conf-only`. */
export interface ReplicationConfigurationFacts {
  readonly target: CloneTarget;
  readonly ownRecord: NodeRecord | null;
  readonly upstreamRecord: NodeRecord | null;
  /** How the upstream is reached; null without a record. */
  readonly upstreamConninfo: Conninfo | null;
  readonly upstream:
    | { readonly kind: "unreachable"; readonly reason: string }
    | {
        readonly kind: "reachable";
        readonly server: Pick<SourceServer, "role" | "user" | "settings" | "usedSlots">;
        readonly slot: SlotFacts | null;
        /** Why a replication connection with the new primary_conninfo failed; null when it worked. */
        readonly replicationFailure: string | null;
      }
    | null;
}

export type ReplicationConfigurationStep =
  /** The node was registered without a slot. */
  | { readonly kind: "set-slot-name"; readonly record: NodeRecord; readonly slotName: string }
  | { readonly kind: "write-configuration"; readonly path: string; readonly parameters: RecoveryParameters }
  | { readonly kind: "create-slot"; readonly slot: OwnSlot; readonly upstream: Conninfo };

export type ReplicationConfigurationDecision = Plan<ReplicationConfigurationStep>;

/** What the reference lets `-F` or a dry run pass is `tolerable`: a warning then, a problem otherwise. */
interface Findings {
  readonly problems: Problem[];
  readonly tolerable: Problem[];
}

/** For a standby made by other means and registered already (reference: repmgr 5.5, `--replication-conf-only`). */
export function planReplicationConfiguration(
  facts: ReplicationConfigurationFacts,
  request: CloneRequest,
): ReplicationConfigurationDecision {
  const findings: Findings = { problems: [], tolerable: [] };
  judgeDataDirectory(facts.target, request, findings);
  judgeRecords(facts, request, findings);
  const slot = judgeUpstream(facts, request, findings);
  const { ownRecord, upstreamRecord, upstreamConninfo } = facts;
  const problems = [...findings.problems, ...(request.force ? [] : findings.tolerable)];
  if (problems.length > 0 || ownRecord === null || upstreamRecord === null || upstreamConninfo === null) {
    return { kind: "refused", problems };
  }
  const parameters = decideRecoveryParameters(
    buildStandbyConninfo(request, { record: upstreamRecord, conninfo: upstreamConninfo }),
    slot?.name ?? null,
    request.recovery,
  );
  const steps: ReplicationConfigurationStep[] = [
    { kind: "write-configuration", path: request.dataDirectory, parameters },
  ];
  if (slot !== null && ownRecord.slotName !== slot.name) {
    steps.unshift({ kind: "set-slot-name", record: ownRecord, slotName: slot.name });
  }
  if (
    slot?.creator !== null &&
    slot !== null &&
    facts.upstream?.kind === "reachable" &&
    facts.upstream.slot === null
  ) {
    steps.push({
      kind: "create-slot",
      slot: { name: slot.name, creator: slot.creator },
      upstream: upstreamConninfo,
    });
  }
  return { kind: "ready", warnings: findings.tolerable, steps };
}

/** The conninfo by which the standby will stream, as follow and rejoin write it. */
export function buildStandbyConninfo(
  request: Pick<CloneRequest, "nodeName" | "environmentPassword" | "passfile">,
  upstream: { readonly record: NodeRecord; readonly conninfo: Conninfo; readonly dbname?: string | null },
): string {
  return buildPrimaryConninfo({
    given: new Map(),
    upstream: upstream.conninfo,
    nodeName: request.nodeName,
    replicationUser: upstream.record.replicationUser === "" ? null : upstream.record.replicationUser,
    environmentPassword: request.environmentPassword,
    passfile: request.passfile,
    dbname: upstream.dbname ?? null,
  });
}

function judgeDataDirectory({ path, state }: CloneTarget, request: CloneRequest, findings: Findings): void {
  if (state.kind !== "directory" || !state.isDataDirectory) {
    findings.problems.push({
      message: `specified data directory "${path}" does not contain a PostgreSQL instance`,
      detail: state.kind === "absent" ? "the directory does not exist" : 'it contains no file "PG_VERSION"',
      hint: 'check "data_directory" in repmgr.conf, or -D/--pgdata',
    });
    return;
  }
  if (state.serverPid === null) return;
  const message = `specified data directory "${path}" appears to contain a running PostgreSQL instance`;
  const hint = "use -F/--force to write the replication configuration nevertheless";
  findings.tolerable.push(request.force ? { message } : { message, hint });
}

function judgeRecords(
  facts: ReplicationConfigurationFacts,
  request: CloneRequest,
  { problems }: Findings,
): void {
  const { programName, upstreamNodeId, nodeId } = request;
  if (nodeId === null) {
    problems.push({
      message: "--replication-conf-only needs a repmgr.conf with a node_id",
      hint: "provide it with -f/--config-file",
    });
  } else if (facts.ownRecord === null) {
    const hint = `register this standby first with "${programName} standby register --force"`;
    problems.push({ message: `unable to find record for this node (ID: ${nodeId})`, hint });
  }
  if (facts.upstreamRecord !== null) return;
  problems.push(
    upstreamNodeId === null
      ? {
          message: "unable to find an active primary in the metadata of the source node",
          hint: `run "${programName} primary register" on the primary`,
        }
      : {
          message: `unable to find record for upstream node ${upstreamNodeId}`,
          hint: `"${programName} cluster show" lists the nodes`,
        },
  );
}

interface PlannedSlot {
  readonly name: string;
  readonly creator: OwnSlot["creator"] | null;
}

function judgeUpstream(
  { upstream, upstreamRecord, ownRecord }: ReplicationConfigurationFacts,
  request: CloneRequest,
  findings: Findings,
): PlannedSlot | null {
  if (upstream === null || upstreamRecord === null) return null;
  if (upstream.kind === "unreachable") {
    const message = `unable to connect to upstream node "${upstreamRecord.nodeName}" (ID: ${upstreamRecord.nodeId})`;
    findings.problems.push({ message, detail: upstream.reason });
    return null;
  }
  if (upstream.replicationFailure !== null) {
    findings.tolerable.push({
      message: "unable to make a replication connection to the upstream node with the new primary_conninfo",
      detail: upstream.replicationFailure,
    });
  }
  if (!request.useReplicationSlots) return null;
  const name = ownRecord?.slotName ?? slotNameFor(request);
  const creator = chooseSlotCreator(request, upstream.server, upstreamRecord.replicationUser);
  findings.tolerable.push(...judgeSlot(upstream, { name, creator }));
  return { name, creator };
}

function judgeSlot(
  {
    slot,
    server,
  }: Extract<NonNullable<ReplicationConfigurationFacts["upstream"]>, { readonly kind: "reachable" }>,
  { name, creator }: PlannedSlot,
): readonly Problem[] {
  if (slot !== null) {
    return slot.isActive ? [{ message: `replication slot "${name}" already exists as an active slot` }] : [];
  }
  const maximum = Number(server.settings.get("max_replication_slots"));
  if (server.usedSlots >= maximum) {
    return [
      {
        message: "no free replication slot on the upstream node",
        detail: `${server.usedSlots} replication slots exist, "max_replication_slots" is ${maximum}`,
      },
    ];
  }
  if (creator !== null) return [];
  return [
    {
      message: `user "${server.user}" does not have permission to create replication slots`,
      hint: "provide a superuser with -S/--superuser or a replication user with --replication-user",
    },
  ];
}
