import { appendFile } from "node:fs/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { createPrimary } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf } from "../../harness/program.js";
import { waitUntil } from "../../harness/wait-until.js";
import { addStandby, createRegisteredPrimary, waitUntilAttached } from "../cluster/make-cluster.js";
import type { StartedDaemon } from "./start-daemon.js";
import {
  createFailoverCluster,
  isPrimary,
  letFailOver,
  startDaemonOn,
  waitUntilArmed,
} from "./make-failover-cluster.js";

const withLogs =
  (...daemons: readonly StartedDaemon[]) =>
  (error: unknown): never => {
    throw new Error([String(error), ...daemons.map((daemon) => daemon.log())].join("\n---\n"));
  };

describe("two nodes and a witness", () => {
  it("fail over with the witness's vote only, and the witness follows", async () => {
    const [n1, n2] = await createFailoverCluster(2);
    if (n1 === undefined || n2 === undefined) throw new Error("two nodes are needed");
    const server = await createPrimary({ name: "n3" });
    const configFile = await writeRepmgrConf(server, { node_id: 3, node_name: "n3" });
    const witness = { id: 3, server, configFile };
    const registered = await runProgram([
      ...[
        "-f",
        configFile,
        "witness",
        "register",
        "-h",
        "127.0.0.1",
        "-p",
        String(n1.server.port),
        "--force",
      ],
    ]);
    expect(registered.exitCode, registered.output).toBe(0);
    await letFailOver(witness);
    const d2 = await startDaemonOn(n2);
    await waitUntilArmed(n2);
    await n1.server.stop("immediate");
    await d2.says(/no majority of the nodes can be seen/);
    expect(await isPrimary(n2)).toBe(false);

    const d3 = await startDaemonOn(witness);
    await waitUntil("n2 is the primary", () => isPrimary(n2), 40_000).catch(withLogs(d2, d3));
    const upstreamOfWitness = async (): Promise<unknown> =>
      (await server.sql("SELECT upstream_node_id AS id FROM repmgr.nodes WHERE node_id = 3"))[0]?.["id"];
    await waitUntil("the witness follows", async () => (await upstreamOfWitness()) === 2).catch(
      withLogs(d2, d3),
    );
    expect(await server.sql("SELECT type, active FROM repmgr.nodes WHERE node_id = 2")).toEqual([
      { type: "primary", active: true },
    ]);
  });
});

describe("a cascaded standby", () => {
  it("follows upwards when the standby above it dies", async () => {
    const n1 = await createRegisteredPrimary();
    const n2 = await addStandby(2, n1);
    const n3 = await addStandby(3, n2, n1);
    for (const node of [n1, n2, n3]) await letFailOver(node);
    const [d1, d3] = [await startDaemonOn(n1), await startDaemonOn(n3)];
    await d3.says(/monitoring connection to upstream node "n2"/);
    await n2.server.stop("immediate");
    await waitUntilAttached(n1, "n3").catch(withLogs(d1, d3));
    await waitUntil("the record says so", async () => {
      const [row] = await n1.server.sql("SELECT upstream_node_id AS id FROM repmgr.nodes WHERE node_id = 3");
      return row?.["id"] === 1;
    });
    expect(await isPrimary(n1)).toBe(true);
    expect(await isPrimary(n3)).toBe(false);
  });
});

describe("a promotion by hand", () => {
  it("is followed by the daemon of another standby that had no majority", async () => {
    const [n1, n2, n3] = await createFailoverCluster(3);
    if (n1 === undefined || n2 === undefined || n3 === undefined) throw new Error("three nodes are needed");
    const d3 = await startDaemonOn(n3);
    await d3.says(/monitoring connection to upstream node "n1"/);
    await n1.server.stop("immediate");
    await d3.says(/no majority of the nodes can be seen/);
    const promoted = await runProgram(["-f", n2.configFile, "standby", "promote"]);
    expect(promoted.exitCode, promoted.output).toBe(0);
    await waitUntilAttached(n2, "n3").catch(withLogs(d3));
    expect(
      await n2.server.sql(
        "SELECT value LIKE 'term=2 node=2 %' AS ok FROM repmgr.settings WHERE name LIKE 'promotion%'",
      ),
    ).toEqual([{ ok: true }]);
  });
});

describe("a standby with failover=manual", () => {
  it("tells once that it does not follow a new primary, and of a new configuration", async () => {
    const [n1, n2, n3] = await createFailoverCluster(3, { failover: "manual" });
    if (n1 === undefined || n2 === undefined || n3 === undefined) throw new Error("three nodes are needed");
    const d3 = await startDaemonOn(n3);
    await d3.says(/monitoring connection to upstream node "n1"/);
    await n1.server.stop("immediate");
    const promoted = await runProgram(["-f", n2.configFile, "standby", "promote"]);
    expect(promoted.exitCode, promoted.output).toBe(0);
    const events = (event: string) =>
      n2.server.sql("SELECT node_id, successful, details FROM repmgr.events WHERE event = $1", [event]);
    await waitUntil(
      "the event is stored",
      async () => (await events("standby_disconnect_manual")).length > 0,
    ).catch(withLogs(d3));
    await d3.says(/(?:so the new primary is not followed[^]*){2}/, 25_000);
    expect(await events("standby_disconnect_manual")).toEqual([
      {
        node_id: 3,
        successful: true,
        details:
          'node "n3" (ID: 3) does not follow the new primary node "n2" (ID: 2): "failover" is "manual"',
      },
    ]);

    await appendFile(n3.configFile, "reconnect_attempts=4\n");
    d3.signal("SIGHUP");
    await waitUntil(
      "that event is stored",
      async () => (await events("repmgrd_config_reload")).length === 1,
    ).catch(withLogs(d3));
  });
});

describe("standby_disconnect_on_failover", () => {
  it("stops the WAL receiver before an election and lets it start again afterwards", async () => {
    const [n1, n2] = await createFailoverCluster(2, { standby_disconnect_on_failover: "true" });
    if (n1 === undefined || n2 === undefined) throw new Error("two nodes are needed");
    await waitUntilAttached(n1, n2.server.name);
    const interval = async (): Promise<unknown> =>
      (await n2.server.sql("SHOW wal_retrieve_retry_interval"))[0]?.["wal_retrieve_retry_interval"];
    const before = await interval();
    const d2 = await startDaemonOn(n2);
    await waitUntilArmed(n2);
    n1.server.signal("SIGSTOP");
    onTestFinished(() => n1.server.signal("SIGCONT"));
    await d2.says(/stopping WAL receiver with PID \d+/);
    await waitUntil("n2 is the primary", () => isPrimary(n2)).catch(withLogs(d2));
    await d2.says(/"wal_retrieve_retry_interval" is \d+ milliseconds again/);
    await waitUntil("the interval is that of before", async () => (await interval()) === before);
  });
});
