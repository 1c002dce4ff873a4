import { describe, expect, it } from "vitest";
import type { CloneFacts, CloneRequest } from "../../../src/decide/clone-facts.js";
import { planClone, type CloneStep } from "../../../src/decide/clone.js";
import { nodeId } from "../../../src/model/node-record.js";
import { cloneFacts, cloneRequest, primaryRecord, sourceServer } from "../../builders/clone-facts.js";

const directory = {
  kind: "directory",
  realPath: "/pgdata",
  entries: ["PG_VERSION"],
  isDataDirectory: true,
  isWritable: true,
  isOwn: true,
  serverPid: null,
} as const;

const target = (
  state: Partial<CloneFacts["target"]["state"]>,
  more: Partial<CloneFacts["target"]> = {},
): CloneFacts =>
  cloneFacts({
    target: {
      ...cloneFacts().target,
      state: { ...directory, ...state } as CloneFacts["target"]["state"],
      ...more,
    },
  });

const unfinished = { programPid: null, createdSlot: "repmgr_slot_2", externalDirectories: ["/ts"] } as const;

function steps(facts: CloneFacts, request: CloneRequest): readonly CloneStep[] {
  const decision = planClone(facts, request);
  if (decision.kind === "refused") throw new Error(JSON.stringify(decision.problems));
  return decision.steps;
}

describe("planClone", () => {
  it.each<[string, CloneFacts, CloneRequest, RegExp]>([
    [
      "a running server, even with -F",
      target({ serverPid: 7 }),
      cloneRequest({ force: true }),
      /running PostgreSQL instance/,
    ],
    [
      "a running clone, even with -F",
      target({}, { unfinishedClone: { ...unfinished, programPid: 7 } }),
      cloneRequest({ force: true }),
      /another "standby clone" is writing/,
    ],
    [
      "a foreign pg_basebackup, even with -F",
      target({}, { baseBackupPids: [7] }),
      cloneRequest({ force: true }),
      /pg_basebackup is writing/,
    ],
    [
      "other data directories in it, even with -F",
      target({ isDataDirectory: false }, { strangers: ["/pgdata/15/main"] }),
      cloneRequest({ force: true }),
      /holds more than one data directory/,
    ],
    [
      "an unfinished clone",
      target({}, { unfinishedClone: unfinished }),
      cloneRequest(),
      /an unfinished clone lies in/,
    ],
    ["a data directory", target({}), cloneRequest(), /contains a PostgreSQL instance/],
    [
      "a directory of another user",
      target({ isOwn: false }),
      cloneRequest({ force: true }),
      /cannot be used by this user/,
    ],
    [
      "a mount point with lost+found",
      target({ entries: ["lost+found"] }),
      cloneRequest({ force: true }),
      /root of a file system/,
    ],
    [
      "an unwritable parent",
      target({ kind: "absent", ancestor: "/", isAncestorWritable: false }),
      cloneRequest(),
      /unable to create data directory/,
    ],
    [
      "no pg_basebackup",
      cloneFacts({ baseBackupVersion: null }),
      cloneRequest(),
      /unable to execute "pg_basebackup"/,
    ],
    ["an old pg_basebackup", cloneFacts({ baseBackupVersion: 14 }), cloneRequest(), /too old/],
    [
      "--verify-backup without manifest",
      cloneFacts(),
      cloneRequest({ verifyBackup: true, baseBackupOptions: "--no-manifest" }),
      /needs a backup manifest/,
    ],
    [
      "a standby without its primary",
      cloneFacts({ primarySchema: null }),
      cloneRequest(),
      /unable to find the primary/,
    ],
    [
      "no metadata",
      cloneFacts({
        primarySchema: { exists: false, extensionVersion: null, ourVersion: null, missingColumns: [] },
      }),
      cloneRequest(),
      /metadata not found/,
    ],
    [
      "another cluster",
      cloneFacts({ member: { record: primaryRecord(), systemIdentifier: "8" } }),
      cloneRequest(),
      /another cluster/,
    ],
    [
      "an unknown upstream",
      cloneFacts({ upstream: { record: null, conninfo: null, server: null } }),
      cloneRequest({ upstreamNodeId: nodeId(9) }),
      /record for upstream node 9/,
    ],
    [
      "a taken name, of an inactive node too",
      cloneFacts({ nodes: [primaryRecord({ active: false })] }),
      cloneRequest({ nodeName: "node1" }),
      /already exists with node_name/,
    ],
    ["itself as upstream", cloneFacts(), cloneRequest({ upstreamNodeId: nodeId(2) }), /its own upstream/],
    [
      "wal_level",
      cloneFacts({ source: sourceServer({ settings: { wal_level: "minimal" } }) }),
      cloneRequest(),
      /"wal_level" must be/,
    ],
    [
      "archive_mode without a command",
      cloneFacts({ source: sourceServer({ settings: { archive_mode: "on", archive_command: "" } }) }),
      cloneRequest(),
      /"archive_command" must be set/,
    ],
    [
      "no kept WAL with fetch",
      cloneFacts(),
      cloneRequest({ useReplicationSlots: false, baseBackupOptions: "-X fetch" }),
      /"wal_keep_size" must be set/,
    ],
    [
      "hot_standby",
      cloneFacts({ source: sourceServer({ settings: { hot_standby: "off" } }) }),
      cloneRequest(),
      /"hot_standby" must be/,
    ],
    [
      "busy walsenders",
      cloneFacts({ source: sourceServer({ usedWalSenders: 9 }) }),
      cloneRequest(),
      /insufficient free walsenders/,
    ],
    [
      "slots switched off",
      cloneFacts({ source: sourceServer({ settings: { max_replication_slots: "0" } }) }),
      cloneRequest(),
      /"max_replication_slots" must be/,
    ],
    [
      "no slot for pg_basebackup itself",
      cloneFacts({ source: sourceServer({ usedSlots: 10 }) }),
      cloneRequest({ useReplicationSlots: false }),
      /no free replication slot/,
    ],
    [
      "an active slot",
      cloneFacts({ source: sourceServer({ slot: { isPhysical: true, isActive: true } }) }),
      cloneRequest(),
      /already exists as an active slot/,
    ],
    [
      "a logical slot",
      cloneFacts({ source: sourceServer({ slot: { isPhysical: false, isActive: false } }) }),
      cloneRequest(),
      /not a physical slot/,
    ],
    [
      "no right to make slots",
      cloneFacts({ source: sourceServer({ role: { isSuperuser: false, mayReplicate: false } }) }),
      cloneRequest(),
      /does not have permission to create replication slots/,
    ],
    [
      "a refused replication connection",
      cloneFacts({ replicationConnections: { user: "r", opened: 1, failure: { reason: "no", hint: null } } }),
      cloneRequest(),
      /unable to open the 2 replication connections/,
    ],
    [
      "a mapping of nothing",
      cloneFacts(),
      cloneRequest({ tablespaceMappings: [{ oldDirectory: "/a", newDirectory: "/b" }] }),
      /no tablespaces of the source/,
    ],
    [
      "a full tablespace directory",
      cloneFacts({ externalDirectories: [{ path: "/ts", entries: 1 }] }),
      cloneRequest({ force: true }),
      /are not empty/,
    ],
  ])("refuses %s", (_case, facts, request, message) => {
    const decision = planClone(facts, request);
    expect(
      decision.kind === "refused" ? decision.problems.map((problem) => problem.message).join("\n") : "",
    ).toMatch(message);
  });

  it("collects every problem", () => {
    const source = sourceServer({ settings: { wal_level: "minimal", hot_standby: "off" } });
    const decision = planClone(target({}, {}), cloneRequest());
    expect(decision.kind).toBe("refused");
    const both = planClone(cloneFacts({ source, baseBackupVersion: null }), cloneRequest());
    expect(both.kind === "refused" ? both.problems.length : 0).toBe(3);
  });

  it.each<[string, CloneFacts, CloneRequest, readonly CloneStep["kind"][]]>([
    [
      "a slot",
      cloneFacts(),
      cloneRequest(),
      ["prepare-directory", "create-slot", "base-backup", "write-configuration"],
    ],
    [
      "no slot",
      cloneFacts(),
      cloneRequest({ useReplicationSlots: false }),
      ["prepare-directory", "base-backup", "write-configuration"],
    ],
    [
      "another upstream and a verification",
      cloneFacts({ upstream: { ...cloneFacts().upstream, server: { identity: "2/5432" } } }),
      cloneRequest({ verifyBackup: true }),
      [
        "prepare-directory",
        "create-slot",
        "base-backup",
        "move-slot",
        "verify-backup",
        "write-configuration",
      ],
    ],
    [
      "an upstream that did not answer",
      cloneFacts({ upstream: { ...cloneFacts().upstream, server: null } }),
      cloneRequest(),
      ["prepare-directory", "create-slot", "base-backup", "move-slot", "write-configuration"],
    ],
  ])("plans the steps with %s", (_case, facts, request, kinds) => {
    expect(steps(facts, request).map(({ kind }) => kind)).toEqual(kinds);
  });

  it("empties with -F what an unfinished clone of ours left, also outside the data directory", () => {
    const facts = {
      ...target({}, { unfinishedClone: unfinished, baseBackupPids: [7] }),
      externalDirectories: [{ path: "/ts", entries: 2 }],
    };
    expect(steps(facts, cloneRequest({ force: true }))[0]).toEqual({
      kind: "prepare-directory",
      path: "/pgdata",
      isDataDirectory: true,
      action: "delete-contents",
      leftovers: ["/ts"],
      orphanPids: [7],
    });
  });

  it("only warns about a taken directory with --dry-run", () => {
    const decision = planClone(target({}), cloneRequest({ dryRun: true }));
    expect(decision.kind === "ready" ? decision.warnings : []).toEqual([
      {
        message: 'directory "/pgdata" exists but is not empty',
        hint: "-F/--force is needed to overwrite it",
      },
    ]);
  });

  const noRight = { role: { isSuperuser: false, mayReplicate: false } };
  it.each([
    [
      "its own right",
      sourceServer({ role: { isSuperuser: false, mayReplicate: true } }),
      cloneRequest({ superuser: "s" }),
      { method: "sql", user: null },
    ],
    [
      "-S",
      sourceServer(noRight),
      cloneRequest({ superuser: "s", replicationUser: "r" }),
      { method: "sql", user: "s" },
    ],
    [
      "--replication-user",
      sourceServer(noRight),
      cloneRequest({ replicationUser: "r" }),
      { method: "protocol", user: "r" },
    ],
    [
      "the upstream's user",
      sourceServer({ ...noRight, user: "plain" }),
      cloneRequest(),
      { method: "protocol", user: "repmgr" },
    ],
  ] as const)("makes the slot by %s", (_case, source, request, creator) => {
    expect(steps(cloneFacts({ source }), request)).toContainEqual({
      kind: "create-slot",
      slot: { name: "repmgr_slot_2", creator },
      wasMadeByUs: true,
    });
  });
});
