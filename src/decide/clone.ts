import type { Plan } from "../model/plan.js";
import { parseConninfo, type Conninfo } from "../model/conninfo.js";
import { nodeId as toNodeId, slotNameOf, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import {
  buildBaseBackupCommand,
  chooseReplicationUser,
  inDirectory,
  type CommandLine,
} from "./base-backup-command.js";
import type { CloneFacts, CloneProblem, CloneRequest } from "./clone-facts.js";
import {
  judgeMetadata,
  judgeReplicationConnections,
  judgeSourceSettings,
  judgeTools,
  warnAboutSource,
} from "./clone-source-checks.js";
import {
  judgeConfigurationFiles,
  listCopies,
  warnAboutConfigurationFiles,
  type ConfigurationFileCopy,
} from "./configuration-files.js";
import { judgeContents, judgeExternalDirectories, judgeTarget, warnAboutTarget } from "./clone-target.js";
import {
  buildPrimaryConninfo,
  chooseDatabaseForSlots,
  decideRecoveryParameters,
  type RecoveryParameters,
} from "./recovery-parameters.js";
import { chooseSlotCreator, judgeSlots, type SlotCreator } from "./replication-slots.js";

export interface OwnSlot {
  readonly name: string;
  readonly creator: SlotCreator;
  /** The node that has it, for messages. */
  readonly nodeId?: NodeId;
}

export type CloneStep =
  | {
      readonly kind: "prepare-directory";
      readonly path: string;
      readonly action: "create" | "use-empty" | "delete-contents";
      /** What is deleted was a PostgreSQL instance. */
      readonly isDataDirectory: boolean;
      /** Filled by an unfinished clone of ours; emptied as well. */
      readonly leftovers: readonly string[];
      /** Processes of the pg_basebackup of that clone, still writing. */
      readonly orphanPids: readonly number[];
    }
  | { readonly kind: "create-slot"; readonly slot: OwnSlot; readonly wasMadeByUs: boolean }
  | {
      readonly kind: "base-backup";
      readonly command: CommandLine;
      readonly externalDirectories: readonly string[];
      readonly createdSlot: string | null;
      /** What the databases of the source take; null when unknown. */
      readonly installationBytes: number | null;
    }
  /** The slot was made where the data came from; the standby will stream from its upstream. */
  | {
      readonly kind: "move-slot";
      readonly slot: OwnSlot;
      readonly upstream: NodeRecord;
      readonly conninfo: Conninfo;
    }
  | { readonly kind: "verify-backup"; readonly program: string; readonly path: string }
  | {
      readonly kind: "copy-configuration-files";
      readonly host: string;
      /** The data directory. */
      readonly path: string;
      readonly copies: readonly ConfigurationFileCopy[];
      /** The clone goes on when they cannot be written. */
      readonly isOptional: boolean;
    }
  | { readonly kind: "write-configuration"; readonly path: string; readonly parameters: RecoveryParameters };

interface CloneOutlook {
  readonly upstream: NodeRecord;
  /** The standby has a row already, so it is registered again with `--force`. */
  readonly isRegistered: boolean;
}

export type CloneDecision = Plan<CloneStep, CloneOutlook, CloneProblem>;

/** Everything that speaks against the clone, or the steps that make the standby (reference: repmgr 5.5, standby clone). */
export function planClone(facts: CloneFacts, request: CloneRequest): CloneDecision {
  const slotName = slotNameFor(request);
  const upstreamUser = facts.upstream.record?.replicationUser ?? null;
  const creator = chooseSlotCreator(request, facts.source, upstreamUser);
  const problems = [
    ...judgeTarget(facts.target),
    ...judgeTools(facts, request),
    ...judgeMetadata(facts, request),
    ...judgeContents(facts, request),
    ...judgeMappings(facts, request),
    ...judgeExternalDirectories(facts, request),
    ...judgeSourceSettings(facts, request),
    ...judgeSlots(facts, request, { slotName, creator }),
    ...judgeReplicationConnections(facts, request),
    ...judgeConfigurationFiles(facts.configurationFiles, request),
  ];
  const { record, conninfo } = facts.upstream;
  if (problems.length > 0 || record === null || conninfo === null) return { kind: "refused", problems };
  const slot = request.useReplicationSlots && creator !== null ? { name: slotName, creator } : null;
  return {
    kind: "ready",
    warnings: [
      ...warnAboutTarget(facts, request),
      ...warnAboutUpstream(facts, slot),
      ...warnAboutSource(facts),
      ...warnAboutConfigurationFiles(facts.configurationFiles, request),
    ],
    steps: listSteps(facts, request, { slot, upstream: record, upstreamConninfo: conninfo }),
    upstream: record,
    isRegistered: facts.nodes.some((node) => node.nodeId === request.nodeId),
  };
}

/** The reference's name for the slot of a node. */
export function slotNameFor({ nodeId }: Pick<CloneRequest, "nodeId">): string {
  return slotNameOf(nodeId ?? toNodeId(-1));
}

/**
 * How the upstream is asked: at the address of `--upstream-conninfo`, but as the user and in the database of its record,
 * as the user in that option is not the one that is written either.
 */
export function reachUpstream(given: Conninfo, registered: Conninfo): Conninfo {
  const user = registered.get("user");
  const isSameUser = user === undefined || user === given.get("user");
  const address = [...given].filter(([keyword]) => isSameUser || keyword !== "password");
  const own = [...registered].filter(([keyword]) => keyword === "user" || keyword === "dbname");
  return new Map([...address, ...own]);
}

interface Attachment {
  readonly slot: OwnSlot | null;
  readonly upstream: NodeRecord;
  readonly upstreamConninfo: Conninfo;
}

function listSteps(facts: CloneFacts, request: CloneRequest, attachment: Attachment): readonly CloneStep[] {
  const { slot, upstream, upstreamConninfo } = attachment;
  const path = request.dataDirectory;
  const wasMadeByUs =
    slot !== null && (facts.source.slot === null || facts.target.unfinishedClone?.createdSlot === slot.name);
  const user = chooseReplicationUser(request, upstream.replicationUser, facts.source.user);
  const steps: CloneStep[] = [prepareDirectory(facts, path)];
  if (slot !== null) steps.push({ kind: "create-slot", slot, wasMadeByUs });
  steps.push({
    kind: "base-backup",
    command: buildBaseBackupCommand(request, facts.source, { user, slotName: slotNameFor(request) }),
    externalDirectories: facts.externalDirectories.map((directory) => directory.path),
    createdSlot: wasMadeByUs ? slot.name : null,
    installationBytes: facts.source.installationBytes,
  });
  if (slot !== null && facts.upstream.server?.identity !== facts.source.identity) {
    const conninfo = reachUpstream(upstreamConninfo, parseConninfo(upstream.conninfo));
    steps.push({ kind: "move-slot", slot, upstream, conninfo });
  }
  if (request.verifyBackup) {
    steps.push({
      kind: "verify-backup",
      program: inDirectory(request.binDirectory, "pg_verifybackup"),
      path,
    });
  }
  // After the verification, which would take the files for damage.
  const copies = listCopies(facts.configurationFiles);
  if (copies.length > 0) {
    const { host } = facts.source;
    steps.push({ kind: "copy-configuration-files", host, path, copies, isOptional: request.force });
  }
  steps.push({ kind: "write-configuration", path, parameters: decideParameters(facts, request, attachment) });
  return steps;
}

function prepareDirectory({ target }: CloneFacts, path: string): CloneStep {
  const { state, unfinishedClone } = target;
  const isEmpty = state.kind === "directory" && state.entries.length === 0;
  return {
    kind: "prepare-directory",
    path,
    action: state.kind === "absent" ? "create" : isEmpty ? "use-empty" : "delete-contents",
    isDataDirectory: state.kind === "directory" && state.isDataDirectory,
    leftovers: unfinishedClone?.externalDirectories ?? [],
    orphanPids: target.baseBackupPids,
  };
}

function decideParameters(
  { source, upstream: { record } }: CloneFacts,
  request: CloneRequest,
  { slot, upstreamConninfo }: Attachment,
): RecoveryParameters {
  const primaryConninfo = buildPrimaryConninfo({
    given: request.source,
    upstream: upstreamConninfo,
    nodeName: request.nodeName,
    replicationUser: record === null || record.replicationUser === "" ? null : record.replicationUser,
    environmentPassword: request.environmentPassword,
    passfile: request.passfile,
    dbname: chooseDatabaseForSlots({
      serverVersion: source.version,
      synchronisesSlots: source.settings.get("sync_replication_slots") === "on",
      kept: null,
      upstreamDatabase: upstreamConninfo.get("dbname") ?? source.database,
    }),
  });
  return decideRecoveryParameters(primaryConninfo, slot?.name ?? null, request.recovery);
}

function judgeMappings({ source }: CloneFacts, request: CloneRequest): readonly CloneProblem[] {
  const unknown = request.tablespaceMappings.filter(
    ({ oldDirectory }) => !source.tablespaceLocations.includes(oldDirectory),
  );
  if (unknown.length === 0) return [];
  const known = source.tablespaceLocations.map((location) => `"${location}"`).join(", ");
  return [
    {
      kind: "prerequisite",
      message: '"tablespace_mapping" names directories that are no tablespaces of the source',
      detail: `not found: ${unknown.map(({ oldDirectory }) => `"${oldDirectory}"`).join(", ")}; tablespaces of the source: ${known === "" ? "none" : known}`,
      hint: 'correct "tablespace_mapping" in repmgr.conf',
    },
  ];
}

function warnAboutUpstream({ upstream }: CloneFacts, slot: OwnSlot | null): readonly Problem[] {
  if (slot === null || upstream.server !== null || upstream.record === null) return [];
  const { nodeName, nodeId } = upstream.record;
  return [
    {
      message: `unable to connect to upstream node "${nodeName}" (ID: ${nodeId})`,
      detail: `replication slot "${slot.name}" is needed there before the standby can stream`,
    },
  ];
}
