import { describe, expect, it } from "vitest";
import type { DoctorFacts, NodeFacts } from "../../../../src/decide/doctor/facts.js";
import { examineCluster } from "../../../../src/decide/doctor/examine.js";
import { parseConninfo } from "../../../../src/model/conninfo.js";
import { BLOCKED_NAMES } from "../../../../src/model/sync-state.js";
import {
  absent,
  codesOf,
  conf,
  directory,
  down,
  host,
  local,
  primaryWith,
  problemsOf,
  refused,
  standbySet,
  standbyWith,
  withNodes,
  type ServerSettings,
} from "../../../builders/doctor-clusters.js";
import {
  accessRule,
  doctorFacts,
  doctorSettings,
  hostFacts,
  nodeFacts,
  serverFacts,
  slotFacts,
  standbyConninfo,
} from "../../../builders/doctor-facts.js";
import { nodeRecord } from "../../../builders/node-record.js";
import { mistakesOfGuides } from "./mistakes-of-guides.js";

const further: readonly (readonly [string, DoctorFacts, string])[] = [
  ["archiving that is off", primaryWith({ set: { archive_mode: "off" } }), "node1 note archiving_off"],
  [
    "a witness that is a standby",
    withNodes(nodeFacts(1), nodeFacts(2, { record: nodeRecord({ id: 2, type: "witness" }) })),
    "node2 failed witness_in_recovery",
  ],
  [
    "a primary_conninfo that this user may not see",
    withNodes(
      nodeFacts(1),
      nodeFacts(2, {
        server: { ...serverFacts({ inRecovery: true, identity: "2/5432" }), settings: new Map() },
      }),
    ),
    "node2 unknown primary_conninfo_not_shown",
  ],
  [
    "a data directory that is a link to nowhere",
    host({ dataDirectory: { kind: "dangling-link" } }),
    "node1 failed data_directory_missing",
  ],
  [
    "a data directory that is a file",
    host({ dataDirectory: { kind: "not-a-directory" } }),
    "node1 failed data_directory_missing",
  ],
  [
    "a data directory that may not be read",
    host({ dataDirectory: { kind: "unreadable", reason: "Permission denied" } }),
    "node1 failed data_directory_unreadable",
  ],
  [
    "a full disk",
    host({ disks: [{ path: "/data", freeBytes: 2 ** 20, totalBytes: 2 ** 40 }] }),
    "node1 failed disk_full",
  ],
  [
    "little disk space",
    host({ disks: [{ path: "/data", freeBytes: 2 ** 29, totalBytes: 2 ** 31 }] }),
    "node1 warning disk_space",
  ],
  [
    "a password in conninfo",
    conf({ conninfo: "host=node1 password=x" }),
    "node1 warning password_in_conninfo",
  ],
  [
    "a password file that others may read",
    host({ passfileWarning: "group or world access" }),
    "node1 failed passfile_mode",
  ],
  [
    "a password in primary_conninfo",
    standbyWith({ set: { primary_conninfo: `${standbyConninfo} password=x` } }),
    "node2 warning password_in_primary_conninfo",
  ],
  ["a name that is not ASCII", conf({ node_name: "knoten-ä" }), "node1 failed name_not_ascii"],
  ["a slot that is missing", primaryWith({ slots: [] }), "node1 failed slot_missing"],
  [
    "a slot that is not used",
    primaryWith({ slots: [slotFacts({ isActive: false })] }),
    "node1 failed slot_inactive",
  ],
  [
    "a slot that lost WAL",
    primaryWith({ slots: [slotFacts({ walStatus: "lost" })] }),
    "node1 failed slot_lost",
  ],
  [
    "a slot that will lose WAL",
    primaryWith({ slots: [slotFacts({ walStatus: "unreserved" })] }),
    "node1 warning slot_unreserved",
  ],
  [
    "a slot that is not ours",
    primaryWith({ slots: [slotFacts(), slotFacts({ name: "cdc", isPhysical: false })] }),
    "node1 note slot_not_ours",
  ],
  [
    "slots without a limit",
    primaryWith({ set: { max_slot_wal_keep_size: "-1" } }),
    "node1 note slots_unlimited",
  ],
  ["a clock that is off", standbyWith({ clockOffsetMs: -5000 }), "node2 failed clock_differs"],
  ["another minor release", standbyWith({ version: 150_017 }), "node2 note minor_version_differs"],
  [
    "a limit below the primary's",
    standbyWith({ set: { max_connections: "50" } }),
    "node2 failed lower_than_primary",
  ],
  [
    "full_page_writes off",
    primaryWith({ set: { full_page_writes: "off" } }),
    "node1 warning rewind_impossible",
  ],
  [
    "no primary_conninfo",
    standbyWith({ set: { primary_conninfo: "" } }),
    "node2 failed primary_conninfo_missing",
  ],
  [
    "a stream from elsewhere",
    standbyWith({ set: { primary_conninfo: "host=node9 application_name=node2" } }),
    "node2 failed upstream_differs",
  ],
  [
    "another slot than registered",
    standbyWith({ set: { primary_slot_name: "" } }),
    "node2 warning slot_name_differs",
  ],
  ["a standby that is not attached", primaryWith({ walSenders: [] }), "node2 failed not_attached"],
  [
    "a standby that catches up",
    primaryWith({ walSenders: [{ name: "node2", state: "catchup" }] }),
    "node2 warning not_streaming",
  ],
  [
    "a standby registered as primary",
    local({ server: serverFacts({ inRecovery: true }) }),
    "node1 failed running_as_standby",
  ],
  [
    "an inactive record",
    local({ record: nodeRecord({ id: 1, active: false }) }),
    "node1 failed inactive_but_running",
  ],
  [
    "an upstream that is gone from the records",
    withNodes(nodeFacts(2, { isLocal: true })),
    "node2 failed upstream_unknown",
  ],
  [
    "no schema",
    primaryWith({
      schema: { exists: false, extensionVersion: null, ourVersion: null, missingColumns: [] },
    }),
    "node1 warning schema_missing",
  ],
  [
    "an old schema",
    primaryWith({ schema: { exists: true, extensionVersion: null, ourVersion: 2, missingColumns: [] } }),
    "node1 warning schema_old",
  ],
  [
    "a line of pg_hba.conf that is none",
    primaryWith({
      accessRules: [
        accessRule({ databases: ["all", "replication"] }),
        accessRule({ error: "end-of-line before method" }),
      ],
    }),
    "node1 failed access_line_invalid",
  ],
  [
    "synchronous_commit of a role",
    primaryWith({ synchronousCommitOverrides: ['role "app" synchronous_commit=off'] }),
    "node1 note synchronous_commit_override",
  ],
  [
    "the same beside synchronous standbys",
    primaryWith({
      synchronousCommitOverrides: ['role "app" synchronous_commit=off'],
      set: { synchronous_standby_names: "node2" },
    }),
    "node1 warning synchronous_commit_override",
  ],
  [
    "names that synchronous mode has left behind",
    primaryWith({ set: { synchronous_standby_names: BLOCKED_NAMES } }),
    "node1 failed sync_left_behind",
  ],
  [
    "synchronous mode without names",
    doctorFacts({ settings: doctorSettings({ sync_mode: "quorum" }) }),
    "node1 failed sync_not_managed",
  ],
  [
    "a primary that goes on without its standby",
    doctorFacts({ settings: doctorSettings({ sync_mode: "preferred" }) }),
    "node1 warning sync_without_standby",
  ],
  [
    "a standby that is not blocked",
    doctorFacts({ settings: doctorSettings({ sync_mode: "quorum" }) }),
    "node2 warning sync_not_blocked",
  ],
  [
    "a primary whose commits wait",
    {
      ...primaryWith({ set: { synchronous_standby_names: BLOCKED_NAMES } }),
      settings: doctorSettings({ sync_mode: "quorum" }),
    },
    "node1 warning sync_waiting",
  ],
  [
    "a conninfo that leads to a connection pooler",
    standbyWith({ isThroughPooler: true }),
    "node2 failed through_pooler",
  ],
  [
    "a pooler that refuses our sessions",
    local({
      connection: refused("FATAL:  unsupported startup parameter: options"),
      server: null,
    }),
    "node1 failed through_pooler",
  ],
  [
    "a conninfo with another database",
    withNodes(nodeFacts(1), nodeFacts(2, { conninfo: parseConninfo("host=node2 user=repmgr dbname=app") })),
    "node2 failed other_database",
  ],
  ["files that this user may not see", primaryWith({ fileErrors: null }), "node1 unknown files_not_shown"],
  [
    "a refusal where the rules are not shown",
    local({
      replication: refused("no pg_hba.conf entry for replication"),
      server: serverFacts({ accessRules: null }),
    }),
    "node1 failed access_refused",
  ],
];

describe("examineCluster", () => {
  it("has nothing to say against a healthy cluster, and a row for each check of each node", () => {
    const rows = examineCluster(doctorFacts());
    expect(rows.filter(({ status }) => status !== "ok")).toEqual([]);
    expect(rows.map(({ nodeName, check }) => `${nodeName} ${check}`)).toEqual([
      ...["configuration", "data directory", "programs", "service commands", "disk space", "passwords"].map(
        (check) => `node1 ${check}`,
      ),
      ...["connection", "replication connection", "pg_hba", "identity", "version", "schema", "settings"].map(
        (check) => `node1 ${check}`,
      ),
      ...["archiving", "clock", "slots"].map((check) => `node1 ${check}`),
      ...["connection", "replication connection", "pg_hba", "identity", "version", "settings"].map(
        (check) => `node2 ${check}`,
      ),
      ...["archiving", "clock", "slots", "upstream"].map((check) => `node2 ${check}`),
    ]);
  });

  it.each(mistakesOfGuides)("recognises %s", (_mistake, facts, finding) => {
    expect(codesOf(facts)).toContain(finding);
  });

  it.each(further)("sees %s", (_mistake, facts, finding) => {
    expect(codesOf(facts)).toContain(finding);
  });

  it("gives every problem a repair", () => {
    for (const [, facts] of [...mistakesOfGuides, ...further])
      for (const row of problemsOf(facts)) expect(row.hint, row.detail).toMatch(/\S/);
  });

  it.each<[string, ServerSettings, string]>([
    ["no dbname", { hot_standby_feedback: "on" }, "node2 failed slot_sync_dbname"],
    [
      "no feedback",
      { primary_conninfo: `${standbyConninfo} dbname=repmgr` },
      "node2 failed slot_sync_feedback",
    ],
    ["no slot", { primary_slot_name: "" }, "node2 failed slot_sync_slot"],
    ["no synchronisation", { sync_replication_slots: "off" }, "node2 warning slots_not_synchronised"],
  ])("on PostgreSQL 17 sees failover slots with %s", (_lack, set, finding) => {
    const slots = [slotFacts(), slotFacts({ name: "cdc", isPhysical: false, isFailover: true })];
    const on = { sync_replication_slots: "on", ...standbySet, ...set };
    const facts = withNodes(
      nodeFacts(1, { server: serverFacts({ version: 170_002, slots }) }),
      nodeFacts(2, {
        server: serverFacts({ version: 170_002, inRecovery: true, identity: "2/5432", set: on }),
      }),
    );
    expect(codesOf(facts)).toContain(finding);
    expect(codesOf(facts)).toContain("node1 note failover_slots");
  });

  it("takes localhost for what it is where all nodes are on one machine", () => {
    const here = (id: number): Partial<NodeFacts> => ({
      conninfo: parseConninfo(`host=localhost port=${5431 + id} user=repmgr dbname=repmgr`),
      addresses: ["127.0.0.1"],
      server: null,
    });
    const facts = withNodes(nodeFacts(1, here(1)), nodeFacts(2, here(2)));
    expect(codesOf(facts)).toEqual([]);
  });

  it("shows a server that is down once, with the command that starts it", () => {
    const facts = doctorFacts({
      host: hostFacts({ dataDirectory: { ...directory, serverPid: null } }),
      nodes: [down(1)],
    });
    expect(problemsOf(facts).map(({ check, hint }) => [check, hint])).toEqual([
      ["connection", "tsrepmgr -f /etc/repmgr.conf node service --action=start"],
    ]);
  });

  it("names the next command on a fresh node", () => {
    const fresh = nodeFacts(3, {
      ...down(3),
      isLocal: true,
      record: null,
      conninfo: parseConninfo("host=node3 user=repmgr"),
    });
    const facts = doctorFacts({
      settings: doctorSettings({ node_id: 3, node_name: "node3", conninfo: "host=node3 user=repmgr" }),
      host: hostFacts({ dataDirectory: absent, dataDirectoryMode: null, commands: [] }),
      nodes: [nodeFacts(1, { isLocal: false }), nodeFacts(2), fresh],
    });
    const row = problemsOf(facts).find(({ code }) => code === "not_registered");
    expect(row?.hint).toBe("tsrepmgr -f /etc/repmgr.conf -h node1 -U repmgr -d repmgr standby clone");
  });
});
