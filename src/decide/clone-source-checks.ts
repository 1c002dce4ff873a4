import { describeNode, type NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import { countReplicationConnections, walMethodOf } from "./base-backup-command.js";
import type { CloneFacts, CloneProblem, CloneRequest } from "./clone-facts.js";

const refuse = (problem: Problem): CloneProblem => ({ kind: "prerequisite", ...problem });

/** The programs of PostgreSQL that the clone runs on this host. */
export function judgeTools(facts: CloneFacts, request: CloneRequest): readonly CloneProblem[] {
  const hint = 'set "pg_bindir" in repmgr.conf to the directory of PostgreSQL\'s programs';
  const sourceVersion = Math.floor(facts.source.version / 10_000);
  if (facts.baseBackupVersion === null) {
    return [
      refuse({ message: 'unable to execute "pg_basebackup"', detail: describeBinDirectory(request), hint }),
    ];
  }
  const problems: CloneProblem[] = [];
  if (facts.baseBackupVersion < sourceVersion) {
    const detail = `"pg_basebackup" is of version ${facts.baseBackupVersion}, the source runs ${facts.source.versionText}`;
    problems.push(refuse({ message: "pg_basebackup is too old for the source server", detail, hint }));
  }
  if (request.verifyBackup && !facts.canVerifyBackup) {
    problems.push(
      refuse({ message: 'unable to execute "pg_verifybackup"', detail: describeBinDirectory(request), hint }),
    );
  }
  if (request.verifyBackup && request.baseBackupOptions.noManifest) {
    const message = "--verify-backup needs a backup manifest";
    problems.push(refuse({ message, hint: 'remove --no-manifest from "pg_basebackup_options"' }));
  }
  return problems;
}

const describeBinDirectory = ({ binDirectory }: CloneRequest): string =>
  binDirectory === "" ? "it was looked for in PATH" : `it was looked for in "${binDirectory}"`;

/** Whether the source is a member of a cluster that repmgr knows, and the right one. */
export function judgeMetadata(facts: CloneFacts, request: CloneRequest): readonly CloneProblem[] {
  const { primarySchema, source, nodes, member, upstream } = facts;
  const { programName } = request;
  if (primarySchema === null) {
    const hint = "check that the primary is running and that its conninfo in repmgr.nodes works from here";
    return [
      refuse({
        message: "unable to find the primary of the source node",
        detail: "the source node is a standby",
        hint,
      }),
    ];
  }
  if (!primarySchema.exists || primarySchema.missingColumns.length > 0) {
    const missing = primarySchema.missingColumns.join(", ");
    return [
      refuse({
        message: `repmgr metadata not found in database "${source.database}"`,
        detail: primarySchema.exists ? `missing: ${missing}` : 'there is no schema "repmgr"',
        hint: `check that the database is the right one (-d), and run "${programName} primary register" on the primary`,
      }),
    ];
  }
  const problems: CloneProblem[] = [];
  if (member !== null && member.systemIdentifier !== source.systemIdentifier) {
    problems.push(
      refuse({
        message: "the source node belongs to another cluster than the nodes registered there",
        detail: `system identifier of the source is ${source.systemIdentifier}, of node ${describeNode(member.record)} ${member.systemIdentifier}`,
        hint: "provide the address of the primary or of a standby; a witness cannot be cloned",
      }),
    );
  }
  if (upstream.record === null) problems.push(refuseUnknownUpstream(request));
  problems.push(...judgeNames(nodes, request));
  return problems;
}

function refuseUnknownUpstream({ upstreamNodeId, programName }: CloneRequest): CloneProblem {
  if (upstreamNodeId === null) {
    const message = "unable to find an active primary in the metadata of the source node";
    return refuse({ message, hint: `run "${programName} primary register" on the primary` });
  }
  const hint = `"${programName} cluster show" lists the nodes`;
  return refuse({ message: `unable to find record for upstream node ${upstreamNodeId}`, hint });
}

function judgeNames(nodes: readonly NodeRecord[], request: CloneRequest): readonly CloneProblem[] {
  const { nodeId, nodeName, upstreamNodeId } = request;
  if (nodeId === null) return [];
  const problems: CloneProblem[] = [];
  if (upstreamNodeId === nodeId) {
    problems.push(
      refuse({
        message: `node ${nodeId} cannot be its own upstream`,
        hint: "provide another node with --upstream-node-id",
      }),
    );
  }
  const namesake = nodes.find((node) => node.nodeName === nodeName && node.nodeId !== nodeId);
  if (namesake !== undefined) {
    problems.push(
      refuse({
        message: `another node (ID: ${namesake.nodeId}) already exists with node_name "${nodeName}"`,
        hint: "choose another node_name in repmgr.conf",
      }),
    );
  }
  return problems;
}

/** Settings of the source without which a standby cannot be made or cannot run. */
export function judgeSourceSettings(
  { source }: Pick<CloneFacts, "source">,
  request: CloneRequest,
): readonly CloneProblem[] {
  const setting = (name: string): string => source.settings.get(name) ?? "";
  const problems: CloneProblem[] = [];
  const demand = (isFine: boolean, name: string, message: string): void => {
    if (isFine) return;
    const hint = `change it in postgresql.conf of the source (${source.host}:${source.port}) and restart it`;
    problems.push(refuse({ message, detail: `current setting of "${name}" is "${setting(name)}"`, hint }));
  };
  demand(
    ["replica", "logical"].includes(setting("wal_level")),
    "wal_level",
    'parameter "wal_level" must be set to "replica" or "logical"',
  );
  demand(
    request.useReplicationSlots ||
      walMethodOf(request) === "stream" ||
      request.recovery.restoreCommand !== "" ||
      Number(setting("wal_keep_size")) > 0,
    "wal_keep_size",
    'parameter "wal_keep_size" must be set when WAL is not streamed and neither a slot nor a restore_command is used',
  );
  const archives = setting("archive_command") !== "" || setting("archive_library") !== "";
  demand(
    setting("archive_mode") === "off" || archives,
    "archive_command",
    `parameter "archive_command" must be set when "archive_mode" is "${setting("archive_mode")}"`,
  );
  demand(setting("hot_standby") === "on", "hot_standby", 'parameter "hot_standby" must be set to "on"');
  demand(
    Number(setting("max_wal_senders")) > 0,
    "max_wal_senders",
    'parameter "max_wal_senders" must be set to at least 1',
  );
  return problems;
}

/** Whether pg_basebackup will get the replication connections that it needs. */
export function judgeReplicationConnections(
  facts: CloneFacts,
  request: CloneRequest,
): readonly CloneProblem[] {
  const { source, replicationConnections } = facts;
  const needed = countReplicationConnections(request);
  const maximum = Number(source.settings.get("max_wal_senders"));
  // With none allowed at all that has been said already.
  if (maximum === 0) return [];
  if (maximum - source.usedWalSenders < needed) {
    return [
      refuse({
        message: "insufficient free walsenders on the source node",
        detail: `${needed} required, ${Math.max(maximum - source.usedWalSenders, 0)} of ${maximum} free`,
        hint: 'raise "max_wal_senders" on the source and restart it, or wait until other backups have ended',
      }),
    ];
  }
  const { failure, opened, user } = replicationConnections;
  if (failure === null) return [];
  const lacksRight = /superuser|REPLICATION attribute|permission denied/i.test(failure.reason);
  return [
    refuse({
      message: `unable to open the ${needed} replication connections that the backup requires`,
      detail: `${opened === 0 ? "" : `${opened} could be opened; `}${failure.reason}`,
      hint: lacksRight
        ? `grant the right on the primary: ALTER ROLE ${user} REPLICATION`
        : (failure.hint ?? "check that the source accepts replication connections from this host"),
    }),
  ];
}

/** What the user should know but may ignore. */
export function warnAboutSource({ source }: Pick<CloneFacts, "source">): readonly Problem[] {
  if (source.settings.get("data_checksums") === "on" || source.settings.get("wal_log_hints") === "on")
    return [];
  return [
    {
      message: 'data checksums are not enabled and "wal_log_hints" is "off"',
      detail: "pg_rewind requires one of them, so a failed primary could not be rejoined by it",
      hint: 'set "wal_log_hints" to "on" in postgresql.conf',
    },
  ];
}
