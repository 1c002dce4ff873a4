import type { DoctorFacts } from "../../../../src/decide/doctor/facts.js";
import { parseConninfo } from "../../../../src/model/conninfo.js";
import {
  accessRule,
  commandFacts,
  doctorFacts,
  nodeFacts,
  serverFacts,
  slotFacts,
} from "../../../builders/doctor-facts.js";
import {
  absent,
  conf,
  directory,
  down,
  host,
  local,
  primaryWith,
  promoted,
  refused,
  standbyWith,
  withNodes,
} from "../../../builders/doctor-clusters.js";
import { nodeRecord } from "../../../builders/node-record.js";

const automatic = {
  failover: "automatic",
  promote_command: "tsrepmgr standby promote",
  follow_command: "tsrepmgr standby follow",
};

/** What set-up guides for repmgr warn of, or get wrong themselves: the mistake, and what the doctor says. */
export const mistakesOfGuides: readonly (readonly [string, DoctorFacts, string])[] = [
  [
    "a misspelt or retired parameter in postgresql.conf, the server still up",
    primaryWith({
      fileErrors: [
        { file: "/etc/postgresql.conf", line: 9, name: "listen_address", error: "unrecognized parameter" },
      ],
    }),
    "node1 failed server_configuration",
  ],
  [
    "the same with the server down",
    host({ configurationTest: 'unrecognized configuration parameter "wal_keep_segments"' }),
    "node1 failed server_configuration",
  ],
  [
    "a server that listens on localhost only",
    primaryWith({ set: { listen_addresses: "localhost" } }),
    "node1 failed listen_addresses",
  ],
  ["wal_level below replica", primaryWith({ set: { wal_level: "minimal" } }), "node1 failed wal_level"],
  ["no WAL senders", primaryWith({ set: { max_wal_senders: "0" } }), "node1 failed max_wal_senders"],
  [
    "too few WAL senders for a clone",
    primaryWith({ set: { max_wal_senders: "2" } }),
    "node1 warning max_wal_senders",
  ],
  [
    "no replication slots",
    primaryWith({ set: { max_replication_slots: "0" } }),
    "node1 failed max_replication_slots",
  ],
  [
    "a standby that takes no connections",
    standbyWith({ set: { hot_standby: "off" } }),
    "node2 failed hot_standby",
  ],
  [
    "archiving without a command",
    primaryWith({ set: { archive_command: "" } }),
    "node1 failed archive_command_missing",
  ],
  [
    "an archive that keeps nothing",
    primaryWith({ set: { archive_command: "/bin/true" } }),
    "node1 note archive_discarded",
  ],
  [
    "an archive command that fails",
    primaryWith({ failingArchive: "000000010000000000000007" }),
    "node1 warning archiving_fails",
  ],
  [
    "a script without execute permission",
    host({ commands: [commandFacts({ setting: "archive_command", isFound: false, sudo: null })] }),
    "node1 failed command_not_executable",
  ],
  [
    "parameters changed without a restart",
    primaryWith({ pendingRestart: ["wal_level"] }),
    "node1 warning restart_pending",
  ],
  [
    "WAL that nothing keeps",
    withNodes(nodeFacts(1), nodeFacts(2, { record: nodeRecord({ id: 2 }) })),
    "node1 warning wal_not_kept",
  ],
  [
    "a WAL sender timeout of a second",
    primaryWith({ set: { wal_sender_timeout: "1000" } }),
    "node1 note wal_sender_timeout",
  ],
  [
    "the library of repmgr 3",
    primaryWith({ set: { shared_preload_libraries: "repmgr_funcs" } }),
    "node1 warning old_library",
  ],
  [
    "pg_hba.conf without a line for replication",
    primaryWith({ accessRules: [accessRule({ databases: ["all"] })] }),
    "node1 failed access_refused",
  ],
  [
    "pg_hba.conf without a line for the metadata database",
    primaryWith({ accessRules: [accessRule({ databases: ["replication"] })] }),
    "node1 failed access_refused",
  ],
  [
    "pg_hba.conf without the address of a standby",
    primaryWith({
      accessRules: [["replication"], ["repmgr"]].map((databases) =>
        accessRule({ databases, address: "10.0.0.1", netmask: "255.255.255.255" }),
      ),
    }),
    "node1 failed access_refused",
  ],
  [
    "pg_hba.conf that was right on the first primary only",
    standbyWith({ accessRules: [accessRule({ databases: ["replication"] })] }),
    "node2 failed access_refused",
  ],
  [
    "a line above that rejects",
    primaryWith({
      accessRules: [
        accessRule({ databases: ["all"], method: "reject" }),
        accessRule({ databases: ["all", "replication"] }),
      ],
    }),
    "node1 failed access_refused",
  ],
  [
    "trust for a whole network",
    primaryWith({ accessRules: [accessRule({ databases: ["all", "replication"], method: "trust" })] }),
    "node1 note access_trusted",
  ],
  [
    "a role or database that does not exist",
    local({ connection: refused('role "repmgr" does not exist'), server: null }),
    "node1 failed connection_failed",
  ],
  [
    "a firewall in between",
    withNodes(
      nodeFacts(1),
      down(2, { connection: refused("timeout expired"), replication: refused("timeout expired") }),
    ),
    "node2 failed connection_failed",
  ],
  ["a server that does not run", withNodes(down(1), nodeFacts(2)), "node1 failed connection_failed"],
  [
    "a role without the right to replicate",
    local({ replication: refused("must be superuser or replication role to start walsender") }),
    "node1 failed replication_refused",
  ],
  [
    "localhost in conninfo",
    local({ conninfo: parseConninfo("host=localhost user=repmgr") }),
    "node1 failed conninfo_local",
  ],
  [
    "the conninfo of another node, copied",
    local({ conninfo: parseConninfo("host=node2 user=repmgr") }),
    "node1 failed conninfo_shared",
  ],
  [
    "two nodes that are one server",
    standbyWith({ identity: serverFacts().identity }),
    "node2 failed same_server",
  ],
  ["the same node_name twice", conf({ node_name: "node2" }), "node1 failed name_taken"],
  [
    "the same node_id twice",
    conf({ node_name: "node3", conninfo: "host=node3 user=repmgr" }),
    "node1 failed node_id_taken",
  ],
  [
    "repmgr.conf changed without registering again",
    conf({ conninfo: "host=node1 user=repmgr dbname=repmgr" }),
    "node1 warning record_differs",
  ],
  [
    "quotes, old names or missing settings in repmgr.conf",
    doctorFacts({
      configuration: {
        file: "/etc/repmgr.conf",
        errors: ['/etc/repmgr.conf:1: "cluster" is …'],
        warnings: [],
      },
      settings: null,
      host: null,
      nodes: [],
    }),
    "this node failed configuration_error",
  ],
  [
    "no repmgr.conf",
    doctorFacts({
      configuration: { file: null, errors: [], warnings: [] },
      settings: null,
      host: null,
      nodes: [],
    }),
    "this node failed configuration_missing",
  ],
  [
    "a setting that is not known",
    doctorFacts({
      configuration: { file: "/etc/repmgr.conf", errors: [], warnings: ["/etc/repmgr.conf:2: …"] },
    }),
    "node1 warning configuration_warning",
  ],
  [
    "a data_directory that is not the server's",
    primaryWith({ set: { data_directory: "/other" } }),
    "node1 failed data_directory_differs",
  ],
  [
    "a data directory that is not there",
    host({ dataDirectory: absent, dataDirectoryMode: null }),
    "node1 failed data_directory_missing",
  ],
  [
    "a data directory that others may enter",
    host({ dataDirectoryMode: 0o755 }),
    "node1 failed data_directory_mode",
  ],
  [
    "a data directory of another user",
    host({ dataDirectory: { ...directory, isOwn: false } }),
    "node1 failed data_directory_owner",
  ],
  [
    "pg_bindir without the programs",
    host({ programs: { missing: ["pg_ctl"], major: null } }),
    "node1 failed programs_missing",
  ],
  [
    "programs of another release",
    host({ programs: { missing: [], major: 13 } }),
    "node1 failed programs_version",
  ],
  [
    "sudo that asks for a password",
    host({ commands: [commandFacts({ sudo: { isAllowed: false, reason: "a password is required" } })] }),
    "node1 failed sudo_refused",
  ],
  [
    "automatic failover without its commands",
    conf({ failover: "automatic" }),
    "node1 failed command_missing",
  ],
  [
    "a service_promote_command that promotes by way of itself",
    conf({ service_promote_command: "repmgr -f /etc/repmgr.conf standby promote" }),
    "node1 failed promotion_calls_itself",
  ],
  [
    "--log-to-file without a log file",
    conf({ ...automatic, promote_command: "tsrepmgr standby promote --log-to-file" }),
    "node1 warning log_file_missing",
  ],
  [
    "a log file that the user may not write",
    host({ logFile: { path: "/var/log/repmgr.log", isWritable: false } }),
    "node1 warning log_file_not_writable",
  ],
  [
    "failover before a restart can have finished",
    conf({ ...automatic, reconnect_attempts: 2, reconnect_interval: 2000 }),
    "node1 note short_patience",
  ],
  ["another release on a standby", standbyWith({ version: 160_004 }), "node2 failed version_differs"],
  ["a release that is too old", primaryWith({ version: 120_004 }), "node1 failed version_too_old"],
  [
    "an extension that was not updated",
    primaryWith({
      schema: { exists: true, extensionVersion: "4.0", ourVersion: null, missingColumns: ["nodes.x"] },
    }),
    "node1 failed schema_unusable",
  ],
  [
    "a standby that was made by itself, with databases of its own",
    standbyWith({ systemIdentifier: "7000000000000000002" }),
    "node2 failed other_cluster",
  ],
  [
    "a standby under another application_name",
    standbyWith({ set: { primary_conninfo: "host=node1 user=repmgr" } }),
    "node2 failed application_name",
  ],
  [
    "a standby that still follows the primary that failed",
    withNodes(
      down(1, { isLocal: false }),
      nodeFacts(2, {
        server: promoted,
        record: nodeRecord({ id: 2, type: "primary", upstreamNodeId: null }),
      }),
      nodeFacts(3, { isLocal: true, server: serverFacts({ inRecovery: true, identity: "3/5432" }) }),
    ),
    "node3 failed upstream_lost",
  ],
  [
    "an old primary that came back as a primary",
    withNodes(
      nodeFacts(1, { record: nodeRecord({ id: 1, active: false }) }),
      nodeFacts(2, {
        server: promoted,
        record: nodeRecord({ id: 2, type: "primary", upstreamNodeId: null }),
      }),
    ),
    "node1 failed two_primaries",
  ],
  [
    "a standby that was promoted without its record",
    withNodes(down(1), nodeFacts(2, { server: promoted })),
    "node2 failed running_as_primary",
  ],
  [
    "a slot left over by a failover",
    primaryWith({ slots: [slotFacts(), slotFacts({ name: "repmgr_slot_3", isActive: false })] }),
    "node1 warning slot_left_over",
  ],
  [
    "no checksums and no wal_log_hints, so that an old primary cannot be rewound",
    primaryWith({ set: { wal_log_hints: "off" } }),
    "node1 warning rewind_impossible",
  ],
  ["a node that is not registered", local({ record: null }), "node1 warning not_registered"],
  [
    "a password that only the shell knows",
    host({ environmentOnly: ['"node2"'] }),
    "node1 warning password_in_environment",
  ],
];
