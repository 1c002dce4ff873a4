import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { renderClusterCsv } from "../../../src/commands/cluster/show/render-csv.js";
import { describeCluster } from "../../../src/commands/cluster/show/render-json.js";
import { renderClusterTable, renderIssues } from "../../../src/commands/cluster/show/render-text.js";
import { renderJsonDocument } from "../../../src/output/json.js";
import { plainPalette } from "../../../src/output/palette.js";
import { assessCluster, type ClusterHealth } from "../../../src/decide/cluster-health.js";
import { clusterProblemCodes, type NodeFacts } from "../../../src/decide/cluster-health-facts.js";
import { nodeId } from "../../../src/model/node-record.js";
import {
  clusterFacts,
  nodeRecord,
  primaryAnswer,
  silent,
  standbyRecord,
  unreachable,
} from "../../builders/cluster-facts.js";

const assess = (replaced: Readonly<Record<number, Partial<NodeFacts>>>): ReturnType<typeof assessCluster> =>
  assessCluster(clusterFacts(replaced));

const renderClusterJson = (health: ClusterHealth, exitCode: 0 | 25): string =>
  renderJsonDocument(describeCluster(health, exitCode));
const full = { isCompact: false, palette: plainPalette };
const compact = { isCompact: true, palette: plainPalette };

const refused = 'connection to server at "n3" (10.0.0.3), port 5432 failed: Connection refused';

describe("renderClusterTable", () => {
  it("lays the table out as repmgr does", () => {
    expect(renderClusterTable(assess({ 2: { answer: unreachable() } }), full)).toBe(
      [
        " ID | Name | Role    | Status        | Upstream | Location | Priority | Timeline | Connection string                                  ",
        "----+------+---------+---------------+----------+----------+----------+----------+-----------------------------------------------------",
        " 1  | n1   | primary | * running     |          | default  | 100      | 1        | host=n1 user=repmgr dbname=repmgr connect_timeout=2",
        " 2  | n2   | standby | ? unreachable | ? n1     | default  | 100      |          | host=n2 user=repmgr dbname=repmgr connect_timeout=2",
        " 3  | n3   | standby |   running     | n1       | default  | 100      | 1        | host=n3 user=repmgr dbname=repmgr connect_timeout=2",
        "",
      ].join("\n"),
    );
  });

  it("leaves out the connection string and shortens titles when compact", () => {
    expect(renderClusterTable(assess({}), compact)).toBe(
      [
        " ID | Name | Role    | Status    | Upstream | Location | Prio. | TLI",
        "----+------+---------+-----------+----------+----------+-------+-----",
        " 1  | n1   | primary | * running |          | default  | 100   | 1   ",
        " 2  | n2   | standby |   running | n1       | default  | 100   | 1   ",
        " 3  | n3   | standby |   running | n1       | default  | 100   | 1   ",
        "",
      ].join("\n"),
    );
  });

  it.each<[string, Partial<NodeFacts>, string]>([
    ["a timeline that could not be read", { answer: silent() }, "?"],
    ["a timeline that is not shown to us", { answer: primaryAnswer({ timeline: null }) }, "?"],
    ["a node that is down", { answer: unreachable() }, ""],
    ["a witness", { record: nodeRecord({ nodeId: nodeId(3), type: "witness" }) }, "n/a"],
  ])("shows the timeline of %s", (_, facts, expected) => {
    const row = renderClusterTable(assess({ 3: facts }), compact).split("\n")[4] ?? "";
    expect(row.split("|")[7]?.trim()).toBe(expected);
  });

  it("masks passwords", () => {
    const record = standbyRecord(2, 1, { conninfo: "host=n2 password='S3cr#t;x y' user=repmgr" });
    const text = renderClusterTable(assess({ 2: { record } }), full);
    expect(text).toContain("host=n2 password=");
    expect(text + renderClusterJson(assess({ 2: { record } }), 0)).not.toContain("S3cr#t");
  });
});

describe("renderIssues", () => {
  it("lists what is wrong, with the reasons only when verbose", () => {
    const { problems } = assess({ 2: { answer: unreachable(refused) } });
    expect(renderIssues(problems, false)).toBe(
      [
        "following issues were detected",
        '  - unable to connect to node "n2" (ID: 2)',
        '  - node "n2" (ID: 2) is registered as an active standby but is unreachable',
        "",
      ].join("\n"),
    );
    expect(renderIssues(problems, true)).toContain(`(ID: 2):\n    ${refused}\n`);
  });
});

describe("renderClusterCsv", () => {
  it("gives id, availability and recovery", () => {
    const node9 = { record: standbyRecord(9, 1), answer: silent() };
    const health = assessCluster({ nodes: [...clusterFacts({ 3: { answer: unreachable() } }).nodes, node9] });
    expect(renderClusterCsv(health)).toBe("1,0,0\n2,0,1\n3,-1,-1\n9,0,-1\n");
  });
});

describe("renderClusterJson", () => {
  const health = assess({ 3: { answer: unreachable(refused) } });

  it("agrees with docs/json.md", () => {
    expect(/```json\n([^]*?)```/.exec(documentation())?.[1]).toBe(renderClusterJson(health, 25));
  });

  it("has every member and every code described in docs/json.md", () => {
    const document = JSON.parse(renderClusterJson(health, 25)) as Record<"nodes" | "problems", object[]>;
    const [, standby] = document.nodes as { readonly upstream: object }[];
    const upstreamMembers = Object.keys(standby?.upstream ?? {}).map((member) => `upstream.${member}`);
    const members = [
      ...Object.keys(standby ?? {}),
      ...Object.keys(document.problems[0] ?? {}),
      ...upstreamMembers,
    ];
    const [prose = ""] = documentation().split("```json");
    const undescribed = [...members, ...clusterProblemCodes].filter((name) => !prose.includes(`\`${name}\``));
    expect(undescribed).toEqual([]);
  });
});

function documentation(): string {
  const text = readFileSync(new URL("../../../docs/json.md", import.meta.url), "utf8");
  return text.split(/^## /m).find((part) => part.startsWith("`cluster show`")) ?? "";
}
