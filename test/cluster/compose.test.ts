import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { waitUntil } from "../harness/wait-until.js";
import { openComposeProject, type CommandResult, type ComposeProject } from "./compose.js";

const nodes = ["node1", "node2", "node3", "witness"];

describe("docker/compose.yml", () => {
  let project: ComposeProject | null = null;
  let hasFailed = false;

  const cluster = (): ComposeProject => {
    if (project === null) throw new Error("the project is used before it was opened");
    return project;
  };
  const query = (node: string, statement: string): Promise<CommandResult> =>
    cluster().execute(node, "psql", "-XAtq", "-d", "repmgr", "-c", statement);

  function waitForCompleteCluster(timeoutMs: number): Promise<string> {
    return waitUntil(
      "cluster show has four nodes and ends with 0",
      async () => {
        const { exitCode, stdout } = await cluster().execute("node1", "tsrepmgr", "cluster", "show", "--csv");
        return exitCode === 0 && stdout.trim().split("\n").length === nodes.length && stdout;
      },
      timeoutMs,
    );
  }

  beforeAll(async () => {
    const compose = inject("compose");
    if (inject("engineFailure") !== null || compose === null) return;
    project = await openComposeProject(compose, inject("containerOwner"));
  });

  beforeEach((context) => {
    const engineFailure = inject("engineFailure");
    if (engineFailure !== null) context.skip(engineFailure);
    if (project === null)
      context.skip("neither docker-compose nor the compose plugin of docker is installed");
    if (hasFailed) context.skip("an earlier chapter of the story has failed");
  });

  afterEach(async (context) => {
    if (context.task.result?.state !== "fail" || hasFailed) return;
    hasFailed = true;
    console.error(await cluster().run("logs", "--no-color", "--tail", "50"));
  });

  afterAll(async () => {
    await project?.remove();
  });

  it("builds the image and brings up containers", async () => {
    await cluster().run("up", "--detach", "--build");
  });

  it("makes a registered cluster of three nodes and a witness", async () => {
    await waitForCompleteCluster(90_000);
    const { stdout } = await cluster().execute("node1", "tsrepmgr", "cluster", "show", "--compact");
    const rows = stdout.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
    expect(rows.filter(([id]) => /^\d+$/.test(id ?? "")).map((row) => row.slice(1, 5))).toEqual([
      ["node1", "primary", "* running", ""],
      ["node2", "standby", "running", "node1"],
      ["node3", "standby", "running", "node1"],
      ["witness", "witness", "* running", "node1"],
    ]);
  });

  it("replicates a row to both standbys", async () => {
    await query("node1", "CREATE TABLE sent AS SELECT 1 AS row");
    for (const standby of ["node2", "node3"]) {
      await waitUntil(`the row is on ${standby}`, async () => {
        const { stdout } = await query(standby, "SELECT pg_is_in_recovery(), row FROM sent");
        return stdout === "t|1\n";
      });
    }
  });

  it("lets postgres log in from each node to each other without a question", async () => {
    for (const from of ["node1", "witness"]) {
      for (const to of nodes) {
        const result = await cluster().execute(from, "ssh", "-o", "BatchMode=yes", to, "hostname; id -un");
        expect(result).toEqual({ exitCode: 0, stdout: `${to}\npostgres\n`, stderr: "" });
      }
    }
  });

  it("asks for the password that it has made", async () => {
    const conninfo = "host=node1 user=repmgr dbname=repmgr";
    const ask = (passfile: string): Promise<CommandResult> =>
      cluster().execute("node2", "psql", "-XAtwc", "SELECT 1", `${conninfo} passfile=${passfile}`);
    expect((await ask("/var/lib/postgresql/.pgpass")).stdout).toBe("1\n");
    expect(await ask("/dev/null")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("password"),
    });
  });

  it("shuts a server down in order, and starts it with the data that it had", async () => {
    const identify = async (): Promise<string> =>
      (await query("node2", "SELECT pg_postmaster_start_time(), system_identifier FROM pg_control_system()"))
        .stdout;
    const [startedBefore, identifierBefore] = (await identify()).split("|");
    await cluster().run("restart", "node2");
    const [startedAfter, identifierAfter] = await waitUntil("node2 is back", async () => {
      const answer = await identify();
      return answer !== "" && answer.split("|");
    });
    expect(startedAfter).not.toBe(startedBefore);
    expect(identifierAfter).toBe(identifierBefore);
    await waitForCompleteCluster(20_000);
    const log = await cluster().run("logs", "--no-color", "node2");
    expect(log).toMatch(/received fast shutdown request[^]*database system is shut down/);
    expect(log).toContain("database system was shut down in recovery");
    expect(log.match(/cloning node1/g)).toHaveLength(1);
  });

  it("does not start a primary that was replaced while it was away", async () => {
    await cluster().run("kill", "node1");
    expect((await cluster().execute("node2", "tsrepmgr", "standby", "promote")).exitCode).toBe(0);
    await cluster().run("start", "node1");
    const log = await waitUntil("node1 refuses", async () => {
      const text = await cluster().run("logs", "--no-color", "node1");
      return text.includes("refused: or remove the volume of node1") && text;
    });
    expect(log).toContain('this node was superseded: node "node2" (ID: 2) is the primary');
  });

  it("leaves nothing after `down --volumes`", async () => {
    expect(await cluster().listLeft()).not.toEqual([]);
    await cluster().run("down", "--volumes");
    expect(await cluster().listLeft()).toEqual([]);
  });
});
