import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { renderNodeStatusCsv } from "../../../src/commands/node/status/render-csv.js";
import { renderNodeStatusJson } from "../../../src/commands/node/status/render-json.js";
import {
  renderNodeStatusProblems,
  renderNodeStatusText,
} from "../../../src/commands/node/status/render-text.js";
import { assessNodeStatus, nodeStatusProblemCodes } from "../../../src/decide/node-status.js";
import { nodeRecord } from "../../builders/node-record.js";
import { primaryStatusFacts, standbyStatusFacts } from "../../builders/node-status-facts.js";

const n3 = nodeRecord({ id: 3, nodeName: "n3", slotName: "repmgr_slot_3" });
const troubled = assessNodeStatus(
  primaryStatusFacts({
    downstreams: [...primaryStatusFacts().downstreams, n3],
    physicalSlots: [
      { name: "repmgr_slot_2", isActive: true },
      { name: "repmgr_slot_9", isActive: false },
    ],
  }),
);
const standby = assessNodeStatus(standbyStatusFacts());
const quiet = { isVerbose: false };

describe("renderNodeStatusText", () => {
  it("shows a primary as repmgr does", () => {
    expect(renderNodeStatusText(troubled, { isVerbose: true })).toBe(
      [
        'Node "n1":',
        "\tPostgreSQL version: 15.18",
        "\tTotal data size: 29 MB",
        "\tConninfo: host=node1 user=repmgr dbname=repmgr connect_timeout=2",
        "\tSystem identifier: 7710451323153731621",
        "\tRole: primary",
        "\tWAL archiving: enabled",
        "\tArchive command: /bin/true",
        "\tWALs pending archiving: 2 pending files",
        "\tReplication connections: 1 (of maximal 10)",
        "\tReplication slots: 2 physical (of maximal 10; 1 missing); 1 inactive",
        "\tReplication lag: n/a",
        "\n",
      ].join("\n"),
    );
  });

  it("shows upstream and positions of a standby", () => {
    expect(renderNodeStatusText(standby, quiet).split("\n").slice(-6, -2)).toEqual([
      "\tUpstream node: n1 (ID: 1)",
      "\tReplication lag: 0 seconds",
      "\tLast received LSN: 0/51050B8",
      "\tLast replayed LSN: 0/51050B8",
    ]);
  });

  it("adds lines for failover slots after the reference's where there are any", () => {
    const plain = renderNodeStatusText(standby, quiet);
    const slotSynchronisation = {
      slots: [
        { name: "sub1", isSynchronised: true, invalidationReason: null },
        { name: "sub2", isSynchronised: true, invalidationReason: "wal_removed" },
      ],
      isOn: true,
      isWorkerRunning: true,
      hasFeedback: true,
      hasPrimarySlot: true,
      hasDatabase: true,
    };
    const status = assessNodeStatus(standbyStatusFacts({ slotSynchronisation }));
    expect(renderNodeStatusText(status, quiet)).toBe(
      plain.replace(
        /\n\n$/,
        "\n\tFailover slots: 2 (2 synchronised, 1 invalidated)\n\tSlot synchronisation: running\n\n",
      ),
    );
    expect(renderNodeStatusCsv(status, quiet)).toBe(renderNodeStatusCsv(standby, quiet));
  });

  it("says less where archiving and slots are switched off", () => {
    const off = assessNodeStatus(
      primaryStatusFacts({ archiveMode: "off", maximumSlots: 0, physicalSlots: [], dataSize: null }),
    );
    const text = renderNodeStatusText(off, quiet);
    expect(text).toContain("\tTotal data size: unknown\n");
    expect(text).toContain("\tWAL archiving: off\n\tArchive command: (none)\n\tReplication connections");
    expect(text).toContain("\tReplication slots: disabled\n");
  });

  it("masks passwords in every form", () => {
    const record = nodeRecord({ conninfo: "host=n1 password='S3cr#t;x y'" });
    const status = assessNodeStatus(primaryStatusFacts({ record }));
    const all =
      renderNodeStatusText(status, quiet) +
      renderNodeStatusCsv(status, quiet) +
      renderNodeStatusJson(status, 0);
    expect(all).not.toContain("S3cr#t");
  });
});

describe("renderNodeStatusProblems", () => {
  it("lists nodes and slots below each problem", () => {
    expect(renderNodeStatusProblems(troubled.problems)).toBe(
      [
        "following issue(s) were detected:",
        "  - 1 of 2 downstream nodes not attached:",
        "    - n3 (ID: 3)",
        "  - replication slots missing for following 1 node(s):",
        '    - n3 (ID: 3, slot name: "repmgr_slot_3")',
        "  - node has 1 inactive physical replication slot:",
        "    - repmgr_slot_9",
      ].join("\n"),
    );
  });
});

describe("renderNodeStatusCsv", () => {
  it("is repmgr's, with its unescaped quotes and its numbers without any", () => {
    expect(renderNodeStatusCsv(standby, quiet)).toBe(
      [
        '"Node name","n2"',
        '"Node ID","2"',
        '"PostgreSQL version","15.18"',
        '"Total data size","29 MB"',
        '"Conninfo","host=node2 user=repmgr dbname=repmgr connect_timeout=2"',
        '"Role","standby"',
        '"WAL archiving","disabled (on standbys "archive_mode" must be set to "always" to be effective)"',
        '"Archive command","/bin/true"',
        '"WALs pending archiving","0"',
        '"Replication connections","0 (of maximal 10)"',
        '"Replication slots","0 physical (of maximal 10; 0 missing)"',
        '"Upstream node","n1 (ID: 1)"',
        '"Replication lag","0 seconds"',
        '"Last received LSN","0/51050B8"',
        '"Last replayed LSN","0/51050B8"',
        '"max_wal_senders",10',
        '"occupied_wal_senders",0',
        '"max_replication_slots",10',
        '"active_replication_slots",0',
        '"inactive_replication_slots",0',
        '"missing_replication_slots",0',
        "",
      ].join("\n"),
    );
  });

  it("names the slots that are inactive or missing", () => {
    const lines = renderNodeStatusCsv(troubled, quiet).split("\n");
    expect(lines.slice(-3, -1)).toEqual([
      '"inactive_replication_slots",1,"repmgr_slot_9"',
      '"missing_replication_slots",1,"repmgr_slot_3"',
    ]);
  });

  it("leaves out a number of files that is unknown", () => {
    const facts = primaryStatusFacts({
      pendingArchiving: { kind: "unreadable", path: "/x", reason: "no" },
    });
    expect(renderNodeStatusCsv(assessNodeStatus(facts), quiet)).not.toContain("pending");
  });
});

describe("renderNodeStatusJson", () => {
  it("agrees with docs/json.md", () => {
    const examples = [...documentation().matchAll(/```json\n([^]*?)```/g)].map(([, example]) => example);
    expect(examples).toEqual([renderNodeStatusJson(troubled, 25), renderNodeStatusJson(standby, 0)]);
  });

  it("has every member and every code described in docs/json.md", () => {
    const members = [troubled, standby].flatMap((status) => {
      const document = JSON.parse(renderNodeStatusJson(status, 0)) as { node: Record<string, unknown> };
      return Object.entries(document.node).flatMap(([name, value]) => [name, ...membersOf(name, value)]);
    });
    const [prose = ""] = documentation().split("```json");
    const undescribed = [...members, ...nodeStatusProblemCodes].filter(
      (name) => !prose.includes(`\`${name}\``),
    );
    expect(undescribed).toEqual([]);
  });
});

function membersOf(name: string, value: unknown): readonly string[] {
  if (value === null || typeof value !== "object") return [];
  const one: object = Array.isArray(value) ? ((value[0] ?? {}) as object) : value;
  return Object.keys(one).map((member) => `${name}.${member}`);
}

function documentation(): string {
  const text = readFileSync(new URL("../../../docs/json.md", import.meta.url), "utf8");
  return text.split(/^## /m).find((part) => part.startsWith("`node status`")) ?? "";
}
