import { parseBaseBackupOptions } from "../../src/decide/basebackup-options.js";
import type { CloneFacts, CloneRequest, SourceServer } from "../../src/decide/clone-facts.js";
import { parseConninfo } from "../../src/model/conninfo.js";
import { nodeId, type NodeRecord } from "../../src/model/node-record.js";

export function primaryRecord(changes: Partial<NodeRecord> = {}): NodeRecord {
  return {
    nodeId: nodeId(1),
    upstreamNodeId: null,
    active: true,
    nodeName: "node1",
    type: "primary",
    location: "default",
    priority: 100,
    conninfo: "host=n1 user=repmgr dbname=repmgr connect_timeout=2",
    replicationUser: "repmgr",
    slotName: null,
    configFile: "/etc/repmgr.conf",
    ...changes,
  };
}

const GOOD_SETTINGS = {
  wal_level: "replica",
  max_wal_senders: "10",
  max_replication_slots: "10",
  wal_keep_size: "0",
  archive_mode: "off",
  archive_command: "(disabled)",
  hot_standby: "on",
  data_checksums: "on",
  wal_log_hints: "off",
};

export function sourceServer(
  changes: Partial<Omit<SourceServer, "settings">> & {
    readonly settings?: Readonly<Record<string, string>>;
  } = {},
): SourceServer {
  return {
    version: 150018,
    versionText: "15.18",
    host: "n1",
    port: "5432",
    user: "repmgr",
    database: "repmgr",
    systemIdentifier: "7",
    identity: "1/5432",
    inRecovery: false,
    role: { isSuperuser: true, mayReplicate: false },
    usedWalSenders: 0,
    usedSlots: 0,
    slot: null,
    tablespaceLocations: [],
    installationBytes: 30_000_000,
    ...changes,
    settings: new Map(Object.entries({ ...GOOD_SETTINGS, ...changes.settings })),
  };
}

/** A primary that can be cloned into a place where nothing lies. */
export function cloneFacts(changes: Partial<CloneFacts> = {}): CloneFacts {
  const record = primaryRecord();
  return {
    target: {
      path: "/pgdata",
      state: { kind: "absent", ancestor: "/", isAncestorWritable: true },
      unfinishedClone: null,
      baseBackupPids: [],
      freeBytes: 100_000_000,
      strangers: [],
    },
    baseBackupVersion: 15,
    canVerifyBackup: true,
    source: sourceServer(),
    primarySchema: { exists: true, extensionVersion: null, ourVersion: 3, missingColumns: [] },
    nodes: [record],
    member: { record, systemIdentifier: "7" },
    upstream: { record, conninfo: parseConninfo(record.conninfo), server: { identity: "1/5432" } },
    replicationConnections: { user: "repmgr", opened: 2, failure: null },
    externalDirectories: [],
    configurationFiles: null,
    ...changes,
  };
}

/** `repmgr -h n1 -U repmgr -d repmgr standby clone` of node 2. */
export function cloneRequest(
  changes: Partial<Omit<CloneRequest, "baseBackupOptions">> & { readonly baseBackupOptions?: string } = {},
): CloneRequest {
  const parsed = parseBaseBackupOptions(changes.baseBackupOptions ?? "");
  if (parsed.kind === "refused") throw new Error(parsed.problem.detail);
  return {
    programName: "repmgr",
    dataDirectory: "/pgdata",
    nodeId: nodeId(2),
    nodeName: "n2",
    source: parseConninfo("host=n1 user=repmgr dbname=repmgr"),
    isSourceConninfoString: false,
    upstreamNodeId: null,
    upstreamConninfo: null,
    replicationUser: null,
    configuredReplicationUser: null,
    superuser: null,
    force: false,
    dryRun: false,
    fastCheckpoint: false,
    verifyBackup: false,
    useReplicationSlots: true,
    binDirectory: "/usr/lib/postgresql/15/bin",
    tablespaceMappings: [],
    recovery: { recoveryMinApplyDelay: null, restoreCommand: "", archiveCleanupCommand: "" },
    environmentPassword: null,
    passfile: "",
    configurationPlacement: null,
    ...changes,
    baseBackupOptions: parsed.options,
  };
}
