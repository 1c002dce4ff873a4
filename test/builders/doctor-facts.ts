import type {
  AccessRule,
  CommandFacts,
  DoctorFacts,
  DoctorSettings,
  HostFacts,
  NodeFacts,
  ServerFacts,
  SlotFacts,
} from "../../src/decide/doctor/facts.js";
import { parseConninfo } from "../../src/model/conninfo.js";
import { nodeId } from "../../src/model/node-record.js";
import { nodeRecord } from "./node-record.js";

const settings: Readonly<Record<string, string>> = {
  wal_level: "replica",
  max_wal_senders: "10",
  max_replication_slots: "10",
  hot_standby: "on",
  hot_standby_feedback: "off",
  wal_log_hints: "on",
  data_checksums: "off",
  full_page_writes: "on",
  wal_keep_size: "0",
  max_slot_wal_keep_size: "4096",
  archive_mode: "on",
  archive_command: "/usr/bin/archive %p",
  listen_addresses: "*",
  ssl: "off",
  data_directory: "/data",
  max_connections: "100",
  max_worker_processes: "8",
  max_prepared_transactions: "0",
  max_locks_per_transaction: "64",
  wal_sender_timeout: "60000",
  shared_preload_libraries: "",
  synchronous_standby_names: "",
  cluster_name: "",
  primary_conninfo: "",
  primary_slot_name: "",
  sync_replication_slots: "off",
};

export const accessRule = (values: Partial<AccessRule> = {}): AccessRule => ({
  line: 1,
  type: "host",
  databases: ["repmgr"],
  users: ["repmgr"],
  address: "10.0.0.0",
  netmask: "255.255.255.0",
  method: "scram-sha-256",
  error: null,
  ...values,
});

export const slotFacts = (values: Partial<SlotFacts> = {}): SlotFacts => ({
  name: "repmgr_slot_2",
  isPhysical: true,
  isActive: true,
  walStatus: "reserved",
  retainedBytes: 0,
  isFailover: false,
  isSynced: false,
  ...values,
});

/** `set` replaces settings of the server. */
export function serverFacts(
  values: Partial<ServerFacts> & { readonly set?: Readonly<Record<string, string>> } = {},
): ServerFacts {
  const { set = {}, ...rest } = values;
  return {
    version: 150_018,
    user: "repmgr",
    isThroughPooler: false,
    systemIdentifier: "7000000000000000001",
    identity: "1795226041.5/5432",
    inRecovery: false,
    clockOffsetMs: 3,
    roundTripMs: 1,
    settings: new Map(Object.entries({ ...settings, ...set })),
    pendingRestart: [],
    fileErrors: [],
    accessRules: [accessRule({ databases: ["replication"] }), accessRule({ line: 2 })],
    slots: [],
    walSenders: [],
    schema: { exists: true, extensionVersion: null, ourVersion: 3, missingColumns: [] },
    mayReplicate: true,
    synchronousCommitOverrides: [],
    failingArchive: null,
    ...rest,
  };
}

const primaryServer = serverFacts({
  slots: [slotFacts()],
  walSenders: [{ name: "node2", state: "streaming" }],
});

export const standbyConninfo = "host=node1 user=repmgr application_name=node2";

const standbyServer = serverFacts({
  inRecovery: true,
  identity: "1795226042.5/5432",
  set: { primary_conninfo: standbyConninfo, primary_slot_name: "repmgr_slot_2" },
});

export function nodeFacts(id: number, values: Partial<NodeFacts> = {}): NodeFacts {
  const record = nodeRecord({ id, slotName: id === 1 ? null : `repmgr_slot_${id}` });
  return {
    nodeId: nodeId(id),
    nodeName: record.nodeName,
    conninfo: parseConninfo(record.conninfo),
    record,
    isLocal: id === 1,
    addresses: [`10.0.0.${id}`],
    connection: { kind: "succeeded" },
    replication: { kind: "succeeded" },
    server: id === 1 ? primaryServer : standbyServer,
    foundAt: null,
    ...values,
  };
}

export const commandFacts = (values: Partial<CommandFacts> = {}): CommandFacts => ({
  setting: "service_stop_command",
  commandLine: "sudo /usr/bin/pg_ctlcluster 15 main stop",
  program: "/usr/bin/pg_ctlcluster",
  isFound: true,
  sudo: { isAllowed: true, reason: "" },
  ...values,
});

export const hostFacts = (values: Partial<HostFacts> = {}): HostFacts => ({
  osUser: "postgres",
  dataDirectory: {
    kind: "directory",
    realPath: "/data",
    entries: ["PG_VERSION"],
    isDataDirectory: true,
    isWritable: true,
    isOwn: true,
    serverPid: 42,
  },
  dataDirectoryMode: 0o700,
  programs: { missing: [], major: 15 },
  commands: [commandFacts()],
  logFile: null,
  disks: [{ path: "/data", freeBytes: 50 * 2 ** 30, totalBytes: 100 * 2 ** 30 }],
  configurationTest: null,
  passfileWarning: null,
  passfile: "/home/postgres/.pgpass",
  environmentOnly: [],
  ...values,
});

export const doctorSettings = (values: Partial<DoctorSettings> = {}): DoctorSettings => ({
  node_id: 1,
  node_name: "node1",
  conninfo: "host=node1 user=repmgr dbname=repmgr connect_timeout=2",
  data_directory: "/data",
  pg_bindir: "/usr/lib/postgresql/15/bin",
  use_replication_slots: false,
  use_primary_conninfo_password: false,
  restore_command: "",
  failover: "manual",
  promote_command: "",
  follow_command: "",
  service_promote_command: "",
  reconnect_attempts: 6,
  reconnect_interval: 10_000,
  log_file: "",
  sync_mode: "off",
  ...values,
});

/** A healthy primary, on whose host the program runs, with one standby that streams from a slot. */
export const doctorFacts = (values: Partial<DoctorFacts> = {}): DoctorFacts => ({
  programName: "tsrepmgr",
  configuration: { file: "/etc/repmgr.conf", errors: [], warnings: [] },
  settings: doctorSettings(),
  host: hostFacts(),
  schemaVersion: 3,
  nodes: [nodeFacts(1), nodeFacts(2)],
  recordsFailure: null,
  ...values,
});
