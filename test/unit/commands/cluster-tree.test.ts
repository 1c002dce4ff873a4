import { describe, expect, it } from "vitest";
import { renderClusterTable } from "../../../src/commands/cluster/show/render-text.js";
import { renderClusterTree } from "../../../src/commands/cluster/show/render-tree.js";
import { assessCluster, type ClusterHealth } from "../../../src/decide/cluster-health.js";
import type { NodeFacts } from "../../../src/decide/cluster-health-facts.js";
import { nodeId } from "../../../src/model/node-record.js";
import { plainPalette, type Palette } from "../../../src/output/palette.js";
import {
  clusterFacts,
  nodeRecord,
  standbyAnswer,
  standbyRecord,
  streaming,
  unreachable,
} from "../../builders/cluster-facts.js";

const standby = (id: number, upstream: number | null, facts: Partial<NodeFacts> = {}): NodeFacts => ({
  record: standbyRecord(id, upstream),
  answer: standbyAnswer(upstream),
  ...facts,
});

const assess = (...more: readonly NodeFacts[]): ClusterHealth =>
  assessCluster({ nodes: [...clusterFacts().nodes.slice(0, 3 - more.filter(replaces).length), ...more] });

const replaces = ({ record }: NodeFacts): boolean => record.nodeId <= 3;

const view = { isCompact: false, palette: plainPalette, isUtf8: true };

const firstColumn = (tree: string): readonly string[] =>
  tree
    .split("\n")
    .slice(2, -1)
    .map((row) => row.split(/ \| (?=\d)/)[0]?.trimEnd() ?? "");

const cascade = assess(
  standby(2, 1, { answer: standbyAnswer(1, { attachedStandbys: streaming("n4") }) }),
  standby(3, 1),
  standby(4, 2),
  standby(5, 3, { answer: unreachable() }),
);

describe("renderClusterTree", () => {
  it("draws each node below its upstream", () => {
    expect(renderClusterTree(cascade, view)).toBe(
      [
        " Node     | ID | Role    | Status        | Replication | Timeline",
        "----------+----+---------+---------------+-------------+----------",
        " n1       | 1  | primary | * running     |             | 1        ",
        " ├─ n2    | 2  | standby |   running     | streaming   | 1        ",
        " │  └─ n4 | 4  | standby |   running     | streaming   | 1        ",
        " └─ n3    | 3  | standby |   running     | streaming   | 1        ",
        "    └─ n5 | 5  | standby | ? unreachable | ? unknown   |          ",
        "",
      ].join("\n"),
    );
  });

  it("draws with ASCII where the locale has nothing else", () => {
    expect(firstColumn(renderClusterTree(cascade, { ...view, isUtf8: false }))).toEqual([
      " n1",
      " |- n2",
      " |  `- n4",
      " `- n3",
      "    `- n5",
    ]);
  });

  it.each<[string, readonly NodeFacts[], readonly string[]]>([
    ["a node whose upstream has no record", [standby(4, 9)], [" n1", " ├─ n2", " └─ n3", " n4"]],
    ["a ring of records", [standby(4, 5), standby(5, 4)], [" n1", " ├─ n2", " └─ n3", " n4", " └─ n5"]],
    ["a node that is its own upstream", [standby(4, 4)], [" n1", " ├─ n2", " └─ n3", " n4"]],
    [
      "two primaries",
      [{ record: nodeRecord({ nodeId: nodeId(4) }), answer: unreachable() }, standby(5, 4)],
      [" n1", " ├─ n2", " └─ n3", " n4", " └─ n5"],
    ],
  ])("draws %s", (_, more, expected) => {
    expect(firstColumn(renderClusterTree(assess(...more), view))).toEqual(expected);
  });

  it.each<[string, NodeFacts, string]>([
    ["is not attached", standby(4, 2), "! not attached"],
    [
      "says that it follows another node",
      standby(4, 2, { answer: standbyAnswer(3) }),
      "! reports upstream n3",
    ],
    ["says that it follows none", standby(4, 2, { answer: standbyAnswer(null) }), "! reports no upstream"],
    ["is starting to replicate", standby(4, 1), "? catchup"],
  ])("says that a node %s", (_, node, expected) => {
    const attachedStandbys = [...streaming("n2", "n3"), { applicationName: "n4", state: "catchup" }];
    const [primary, ...standbys] = clusterFacts().nodes;
    const answered = primary?.answer.kind === "answered" ? primary.answer.state : null;
    if (primary === undefined || answered === null) throw new Error("no primary");
    const fed: NodeFacts = {
      ...primary,
      answer: { kind: "answered", state: { ...answered, attachedStandbys } },
    };
    const row = renderClusterTree(assessCluster({ nodes: [fed, ...standbys, node] }), view).split("\n");
    const cells = row.find((line) => line.includes("n4 "))?.split(" | ");
    expect(cells?.[4]?.trim()).toBe(expected);
  });
});

describe("the colours of cluster show", () => {
  const marking: Palette = {
    good: (text) => `<good>${text}</good>`,
    doubtful: (text) => `<doubtful>${text}</doubtful>`,
    bad: (text) => `<bad>${text}</bad>`,
  };

  it.each([
    ["the table", (palette: Palette) => renderClusterTable(cascade, { isCompact: true, palette })],
    ["the tree", (palette: Palette) => renderClusterTree(cascade, { ...view, palette })],
  ])("mark states in %s and change nothing else", (_, render) => {
    const marked = render(marking);
    expect(marked).toContain("| <good>* running    </good> |");
    expect(marked).toContain("| <good>  running    </good> |");
    expect(marked).toContain("| <doubtful>? unreachable</doubtful> | <doubtful>? ");
    expect(marked.replace(/<\/?\w+>/g, "")).toBe(render(plainPalette));
  });
});
