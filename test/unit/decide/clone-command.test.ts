import { describe, expect, it } from "vitest";
import { renderCommandLine } from "../../../src/decide/base-backup-command.js";
import type { CloneFacts, CloneRequest } from "../../../src/decide/clone-facts.js";
import { planClone, type CloneStep } from "../../../src/decide/clone.js";
import { chooseDatabaseForSlots } from "../../../src/decide/recovery-parameters.js";
import { parseConninfo } from "../../../src/model/conninfo.js";
import { cloneFacts, cloneRequest, primaryRecord, sourceServer } from "../../builders/clone-facts.js";

function steps(facts: CloneFacts, request: CloneRequest): readonly CloneStep[] {
  const decision = planClone(facts, request);
  if (decision.kind === "refused") throw new Error(JSON.stringify(decision.problems));
  return decision.steps;
}

function commandOf(facts: CloneFacts, request: CloneRequest): string {
  const step = steps(facts, request).find(({ kind }) => kind === "base-backup");
  return step?.kind === "base-backup" ? renderCommandLine(step.command) : "";
}

function primaryConninfoOf(facts: CloneFacts, request: CloneRequest): string | undefined {
  const step = steps(facts, request).find(({ kind }) => kind === "write-configuration");
  return step?.kind === "write-configuration" ? step.parameters.get("primary_conninfo") : undefined;
}

describe("chooseDatabaseForSlots", () => {
  const needs = { serverVersion: 170_006, synchronisesSlots: false, kept: null, upstreamDatabase: "repmgr" };
  it.each<[string, Partial<Parameters<typeof chooseDatabaseForSlots>[0]>, string | null]>([
    ["none where slots are not synchronised", {}, null],
    ["the upstream's where they are", { synchronisesSlots: true }, "repmgr"],
    ["the one that was there", { kept: "app" }, "app"],
    ["the one that was there first of all", { synchronisesSlots: true, kept: "app" }, "app"],
    ["none before PostgreSQL 17", { serverVersion: 160_009, kept: "app", synchronisesSlots: true }, null],
  ])("is %s", (_case, changes, expected) => {
    expect(chooseDatabaseForSlots({ ...needs, ...changes })).toBe(expected);
  });
});

describe("planClone, what it runs and writes", () => {
  const P = "/usr/lib/postgresql/15/bin/pg_basebackup";
  it.each<[string, Parameters<typeof cloneRequest>[0], string]>([
    [
      "options",
      { fastCheckpoint: true },
      `${P} -l "repmgr base backup" -D /pgdata -h n1 -p 5432 -U repmgr -c fast -X stream -S repmgr_slot_2 -w -P`,
    ],
    [
      "no slots",
      { useReplicationSlots: false },
      `${P} -l "repmgr base backup" -D /pgdata -h n1 -p 5432 -U repmgr -X stream -w -P`,
    ],
    [
      "a method of its own",
      { baseBackupOptions: "--wal-method=fetch" },
      `${P} -l "repmgr base backup" -D /pgdata -h n1 -p 5432 -U repmgr --wal-method=fetch -w -P`,
    ],
    [
      "a slot of its own",
      { baseBackupOptions: "-S other" },
      `${P} -l "repmgr base backup" -D /pgdata -h n1 -p 5432 -U repmgr -X stream -S other -w -P`,
    ],
    [
      "--replication-user",
      { replicationUser: "r", useReplicationSlots: false },
      `${P} -l "repmgr base backup" -D /pgdata -h n1 -p 5432 -U r -X stream -w -P`,
    ],
    [
      "a connection string",
      {
        isSourceConninfoString: true,
        source: parseConninfo("host=n1 user=x password='a b' sslmode=require"),
        useReplicationSlots: false,
      },
      `${P} -l "repmgr base backup" -D /pgdata -d "host=n1 user=repmgr sslmode=require" -X stream -w -P`,
    ],
    [
      "no bin directory",
      { binDirectory: "", useReplicationSlots: false },
      `pg_basebackup -l "repmgr base backup" -D /pgdata -h n1 -p 5432 -U repmgr -X stream -w -P`,
    ],
  ])("builds the command line with %s", (_case, changes, expected) => {
    expect(commandOf(cloneFacts(), cloneRequest(changes))).toBe(expected);
  });

  it("escapes equals signs in tablespace mappings", () => {
    const facts = cloneFacts({ source: sourceServer({ tablespaceLocations: ["/a=b"] }) });
    const request = cloneRequest({ tablespaceMappings: [{ oldDirectory: "/a=b", newDirectory: "/c" }] });
    expect(commandOf(facts, request)).toContain(" -T '/a\\=b=/c' ");
  });

  it.each<[string, Parameters<typeof cloneRequest>[0], Partial<CloneFacts>, string]>([
    ["the reference's result", {}, {}, "host=n1 user=repmgr application_name=n2 connect_timeout=2"],
    [
      "the upstream's repluser over every user",
      { upstreamConninfo: parseConninfo("host=up user=u port=1") },
      {
        upstream: {
          record: primaryRecord({ replicationUser: "r" }),
          conninfo: parseConninfo("host=up user=u port=1 passfile=/theirs application_name=x"),
          server: null,
        },
      },
      "host=up user=r application_name=n2 port=1",
    ],
    [
      "a password of the environment",
      { environmentPassword: "a'b" },
      {},
      "host=n1 user=repmgr application_name=n2 connect_timeout=2 password='a\\'b'",
    ],
    [
      "a password file",
      { passfile: "/p" },
      {},
      "host=n1 user=repmgr application_name=n2 connect_timeout=2 passfile='/p'",
    ],
    ["no node name", { nodeName: "" }, {}, "host=n1 user=repmgr application_name=repmgr connect_timeout=2"],
    [
      "the database that slot synchronisation needs",
      {},
      {
        baseBackupVersion: 17,
        source: sourceServer({ version: 170_002, settings: { sync_replication_slots: "on" } }),
      },
      "host=n1 user=repmgr application_name=n2 connect_timeout=2 dbname=repmgr",
    ],
  ])("writes primary_conninfo with %s", (_case, changes, facts, expected) => {
    expect(primaryConninfoOf(cloneFacts(facts), cloneRequest(changes))).toBe(expected);
  });
});
