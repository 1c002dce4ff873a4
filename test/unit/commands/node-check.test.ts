import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  renderCheckNagios,
  renderCheckText,
  renderOptions,
  renderOverviewCsv,
  renderOverviewOptions,
  renderOverviewText,
} from "../../../src/commands/node/check/render.js";
import { renderNodeCheckJson } from "../../../src/commands/node/check/render-json.js";
import type { CheckFinding } from "../../../src/decide/node-check-findings.js";
import {
  checkArchiveReady,
  checkDownstream,
  checkMissingSlots,
  checkReplicationLag,
  checkRole,
  checkSlots,
  checkUpstream,
} from "../../../src/decide/node-checks.js";
import {
  checkDatabaseConnection,
  checkDataDirectory,
  checkReplicationConfigOwner,
  checkRepmgrd,
} from "../../../src/decide/node-checks-of-host.js";
import { nodeRecord } from "../../builders/node-record.js";
import { primaryStatusFacts, standbyStatusFacts } from "../../builders/node-status-facts.js";

const thresholds = {
  archiveReadyWarning: 16,
  archiveReadyCritical: 128,
  lagWarningSeconds: 300,
  lagCriticalSeconds: 600,
};
const archive = (files: number | null): CheckFinding =>
  checkArchiveReady(
    primaryStatusFacts({
      pendingArchiving:
        files === null ? { kind: "unreadable", path: "/x", reason: "no" } : { kind: "counted", files },
    }),
    thresholds,
  );
const lag = (lagSeconds: number): CheckFinding =>
  checkReplicationLag(standbyStatusFacts({ lagSeconds }), thresholds);
const directory = (actual: string): CheckFinding =>
  checkDataDirectory({ configured: "/a", actual, isSame: actual === "/a", isDataDirectory: true });
const troubled = primaryStatusFacts({
  downstreams: [
    nodeRecord({ id: 2, nodeName: "n2", slotName: "repmgr_slot_2" }),
    nodeRecord({ id: 3, nodeName: "n3", slotName: "repmgr_slot_3" }),
  ],
  physicalSlots: [
    { name: "repmgr_slot_2", isActive: true },
    { name: "repmgr_slot_9", isActive: false },
  ],
});
const downstream = checkDownstream(troubled, new Map([["n2", "streaming"]]));
const overview = [
  checkRole(troubled),
  checkReplicationLag(troubled, thresholds),
  archive(17),
  checkUpstream(troubled, null),
  downstream,
  checkSlots(troubled),
  checkMissingSlots(troubled),
  directory("/b"),
];
const node = { id: 1, name: "n1" };

// The lines are those of repmgr 5.3.3.
describe("renderCheckNagios", () => {
  it.each<[CheckFinding, string]>([
    [checkRole(troubled), "REPMGR_SERVER_ROLE OK: node is primary"],
    [lag(5), "REPMGR_REPLICATION_LAG OK: 5 seconds | lag=5;300;600"],
    [lag(601), "REPMGR_REPLICATION_LAG CRITICAL: 601 seconds | lag=601;300;600"],
    [checkReplicationLag(troubled, thresholds), "REPMGR_REPLICATION_LAG OK: 0 seconds | lag=0;300;600"],
    [archive(17), "REPMGR_ARCHIVE_READY WARNING: 17 pending archive ready files | files=17;16;128"],
    [archive(null), "REPMGR_ARCHIVE_READY UNKNOWN: unable to check archive_status directory"],
    [checkUpstream(troubled, null), "REPMGR_UPSTREAM_SERVER OK: N/A - node is primary"],
    [
      downstream,
      "REPMGR_DOWNSTREAM_SERVERS CRITICAL: 1 of 2 downstream nodes not attached (missing: n3 (ID: 3)) | attached=1, missing=1",
    ],
    [
      checkSlots(troubled),
      "REPMGR_INACTIVE_SLOTS CRITICAL: 1 of 2 physical replication slots are inactive | slots=2;1",
    ],
    [
      checkMissingSlots(troubled),
      "REPMGR_MISSING_SLOTS CRITICAL: 1 physical replication slots are missing: repmgr_slot_3 | missing_slots=1;repmgr_slot_3",
    ],
    [directory("/a"), "REPMGR_DATA_DIRECTORY OK: /a"],
    [directory("/b"), 'REPMGR_DATA_DIRECTORY CRITICAL: /a | actual data directory is "/b"'],
    [checkRepmgrd(null), "REPMGRD CRITICAL: repmgrd not running"],
  ])("of %j", (finding, line) => {
    expect(renderCheckNagios(finding)).toBe(`${line}\n`);
  });
});

describe("renderOptions", () => {
  it.each<[CheckFinding, string]>([
    [lag(5), "--status=OK --lag=5\n"],
    [lag(301), "--status=WARNING --lag=301 --threshold=300\n"],
    [lag(600), "--status=CRITICAL --lag=600 --threshold=600\n"],
    [archive(0), "--status=OK --files=0\n"],
    [archive(17), "--status=WARNING --files=17 --threshold=16\n"],
    [archive(null), "--status=UNKNOWN \n"],
    [directory("/b"), "--configured-data-directory=CRITICAL\n"],
    [checkRepmgrd(null), "--repmgrd=CRITICAL\n"],
    [checkReplicationConfigOwner({ ofFile: 1, ofDirectory: 1 }), "--replication-config-owner=OK\n"],
    [checkDatabaseConnection(null), "--db-connection=OK\n"],
    [checkRole(troubled), ""],
    [downstream, ""],
  ])("of %j", (finding, text) => {
    expect(renderOptions(finding)).toBe(text);
  });
});

describe("the overview", () => {
  it("is a line for each check in text", () => {
    expect(renderOverviewText(node, overview)).toBe(
      [
        'Node "n1":',
        "\tServer role: OK (node is primary)",
        "\tReplication lag: OK (N/A - node is primary)",
        "\tWAL archiving: WARNING (17 pending archive ready files (threshold: 16))",
        "\tUpstream connection: OK (N/A - node is primary)",
        "\tDownstream servers: CRITICAL (1 of 2 downstream nodes not attached; missing: n3 (ID: 3))",
        "\tReplication slots: CRITICAL (1 of 2 physical replication slots are inactive)",
        "\tMissing physical replication slots: CRITICAL (1 physical replication slots are missing: repmgr_slot_3)",
        '\tConfigured data directory: CRITICAL (configured "data_directory" is "/a"; actual data directory is "/b")',
        "",
      ].join("\n"),
    );
  });

  it("is the reference's CSV, gaps and all", () => {
    expect(renderOverviewCsv(node, overview)).toBe(
      [
        '"Node name","n1"',
        '"Node ID","1"',
        '"Server role","OK","node is primary"',
        '"Replication lag","OK"',
        '"WAL archiving","WARNING"',
        '"Downstream servers","CRITICAL","1 of 2 downstream nodes not attached; missing: n3 (ID: 3)"',
        '"Replication slots","CRITICAL","1 of 2 physical replication slots are inactive"',
        '"Missing physical replication slots","CRITICAL","1 physical replication slots are missing: repmgr_slot_3"',
        '"Configured data directory","CRITICAL","configured "data_directory" is "/a"; actual data directory is "/b""',
        "",
      ].join("\n"),
    );
  });

  it("has three lines of options", () => {
    expect(renderOverviewOptions(node, overview)).toBe(
      '--status=OK --lag=0\n--status=WARNING --files=17 --threshold=16\n--configured-data-directory=CRITICAL\nNode "n1":\n',
    );
  });
});

describe("renderCheckText", () => {
  it("is status and details", () => {
    expect(renderCheckText(lag(301))).toBe("WARNING (301 seconds, warning threshold: 300))\n");
    expect(renderCheckText(checkDatabaseConnection(null))).toBe("OK ()\n");
  });
});

describe("renderNodeCheckJson", () => {
  it("agrees with docs/json.md", () => {
    const examples = [...documentation().matchAll(/```json\n([^]*?)```/g)].map(([, example]) => example);
    expect(examples).toEqual([
      renderNodeCheckJson(node, overview, 25),
      renderNodeCheckJson({ id: 2, name: "n2" }, [lag(301)], 1),
    ]);
  });

  it("has every check and everything measured described in docs/json.md", () => {
    const findings = [
      ...overview,
      checkRepmgrd(null),
      checkReplicationConfigOwner({ ofFile: 1, ofDirectory: 1 }),
      checkDatabaseConnection(null),
    ];
    const [prose = ""] = documentation().split("```json");
    const names = findings.flatMap(({ check, measured }) => [
      check.replaceAll("-", "_"),
      ...Object.keys(measured),
    ]);
    expect(names.filter((name) => !prose.includes(`\`${name}\``))).toEqual([]);
  });
});

function documentation(): string {
  const text = readFileSync(new URL("../../../docs/json.md", import.meta.url), "utf8");
  return text.split(/^## /m).find((part) => part.startsWith("`node check`")) ?? "";
}
