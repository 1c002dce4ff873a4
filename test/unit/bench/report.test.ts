import { describe, expect, it } from "vitest";
import type { Measurement } from "../../../bench/judge-row.js";
import {
  hasMissedRow,
  renderJson,
  renderMarkdown,
  replaceMeasured,
  type Results,
} from "../../../bench/report.js";

const measured = (samples: Record<string, readonly number[]>): Measurement => ({
  kind: "measured",
  samples,
});
const skipped: Measurement = { kind: "skipped", reason: "repmgr is not installed" };

const results = (version: Measurement): Results => ({
  measurements: {
    version,
    "show-3": measured({ ours: [55, 50, 60], node: [40, 41, 39] }),
    "show-20": skipped,
    "show-frozen": skipped,
    "matrix-3": skipped,
    "matrix-6": skipped,
    "crosscheck-3": skipped,
    "crosscheck-6": skipped,
    clone: measured({ ours: [4000], pg_basebackup: [3900] }),
    memory: measured({ ours: [60.25] }),
    switchover: skipped,
    outage: skipped,
    failover: skipped,
    "failover-fast": skipped,
    "daemon-memory": skipped,
    "daemon-cpu": skipped,
  },
  machine: { cpu: "Some CPU", cores: 2, memoryGib: 24, hasExtraCertificates: false },
  versions: { tsrepmgr: "0.1.0", reference: null, postgres: "15.18", node: "20.19.0" },
  isQuick: true,
});

const good = results(measured({ ours: [48], node: [40] }));
const bad = results(measured({ ours: [51], node: [40] }));

describe("hasMissedRow", () => {
  it.each([
    { title: "is true when a row misses its value", given: bad, expected: true },
    { title: "is false when rows are met or skipped", given: good, expected: false },
  ])("$title", ({ given, expected }) => {
    expect(hasMissedRow(given)).toBe(expected);
  });
});

describe("renderMarkdown", () => {
  const lines = renderMarkdown(good).split("\n");
  const rowOf = (title: string): string | undefined => lines.find((line) => line.startsWith(`| ${title}`));

  it("shows median, ends and number of runs of both sides, the ratio and the limit", () => {
    expect(rowOf("`cluster show`, three")).toBe(
      "| `cluster show`, three healthy nodes | 55.0 ms (50.0–60.0, 3) | `node -e 0`: 40.0 ms (39.0–41.0, 3) | 1.38 | 1.60 | ✓ |",
    );
  });

  it("shows a limit with an absolute part, and one without another program", () => {
    expect(rowOf("`standby clone`")).toContain("| 1.03 | 1.03, + 500 ms | ✓ |");
    expect(rowOf("peak memory of `cluster show`")).toBe(
      "| peak memory of `cluster show` | 60.3 MiB (60.3–60.3, 1) |  |  | 90 MiB | ✓ |",
    );
  });

  it("marks what missed its value and what was skipped, with the reason", () => {
    expect(renderMarkdown(bad)).toContain("| 1.27 | 1.25 | **missed** |");
    expect(rowOf("`cluster show`, twenty")).toMatch(/\| skipped \|$/);
    expect(lines).toContain("Not measured: `cluster show`, twenty nodes, repmgr is not installed.");
  });

  it("names versions and machine", () => {
    expect(renderMarkdown(good)).toContain(
      "tsrepmgr 0.1.0, no repmgr, PostgreSQL 15.18, Node.js 20.19.0; Some CPU, 2 cores, 24 GiB; few runs (--quick).",
    );
  });

  it("says when bare Node starts slower than it must", () => {
    const slow = { ...good, machine: { ...good.machine, hasExtraCertificates: true } };
    expect(renderMarkdown(slow)).toContain("`node -e 0` parses those certificates when it starts");
    expect(renderMarkdown(good)).not.toContain("certificates");
  });
});

describe("renderJson", () => {
  it("holds every row with its verdict, and the samples", () => {
    const document = JSON.parse(renderJson(bad)) as { rows: { kind: string }[]; measurements: object };
    expect(document.rows.map(({ kind }) => kind)).toEqual([
      ...["missed", "met", "skipped", "skipped"],
      ...["skipped", "skipped", "skipped", "skipped"],
      ...["met", "skipped"],
      ...["skipped", "skipped", "skipped", "skipped"],
      ...["skipped", "skipped", "skipped", "skipped", "met"],
    ]);
    expect(document.measurements).toEqual(bad.measurements);
  });
});

describe("replaceMeasured", () => {
  const readme = "# A\n\n<!-- bench:begin -->\nold\n<!-- bench:end -->\n\nrest\n";

  it("replaces what is between the marks and nothing else", () => {
    const once = replaceMeasured(readme, "| new |\n");
    expect(once).toBe("# A\n\n<!-- bench:begin -->\n\n| new |\n\n<!-- bench:end -->\n\nrest\n");
    expect(replaceMeasured(once, "| new |\n")).toBe(once);
  });

  it("refuses a document without the marks", () => {
    expect(() => replaceMeasured("# A\n", "| new |\n")).toThrow(RangeError);
  });
});
