import { appendFile } from "node:fs/promises";
import { afterEach, describe, expect, it } from "vitest";
import { missingPgbouncer, startPgbouncer, stopAllPgbouncers } from "../../harness/pgbouncer.js";
import { runProgram } from "../../harness/program.js";
import { waitUntil } from "../../harness/wait-until.js";
import { waitUntilReplayed, type TestNode } from "../cluster/make-cluster.js";
import { createFailoverCluster, isPrimary, startDaemonOn, waitUntilArmed } from "./make-failover-cluster.js";
import { startDaemon, type StartedDaemon } from "./start-daemon.js";

const statusOf = async ({ configFile }: TestNode): Promise<string> =>
  (await runProgram(["-f", configFile, "service", "status"])).stdout;

const ERROR = /\[ERROR\] "conninfo" of node "n3" \(ID: 3\) leads to a connection pooler/g;

describe.skipIf(missingPgbouncer !== null)(
  `a conninfo that leads to pgbouncer ${missingPgbouncer ?? ""}`,
  () => {
    afterEach(stopAllPgbouncers);

    it.each([
      { mode: "transaction", ignored: "ignore_startup_parameters = extra_float_digits,options" },
      { mode: "session", ignored: "ignore_startup_parameters = extra_float_digits,options" },
      // As it comes, pgbouncer refuses the options of our sessions.
      { mode: "session", ignored: "" },
    ])(
      "is not armed, is told once, and no vote is counted or given there ($mode, $ignored)",
      { timeout: 120_000 },
      async ({ mode, ignored }) => {
        const [n1, n2, n3] = await createFailoverCluster(3);
        if (n1 === undefined || n2 === undefined || n3 === undefined)
          throw new Error("three nodes are needed");
        const pgbouncer = await startPgbouncer(
          `[databases]\nrepmgr = host=127.0.0.1 port=${n3.server.port} dbname=repmgr pool_size=20\n`,
          "127.0.0.1",
          [`pool_mode = ${mode}`, ignored],
        );
        const pooled = n3.server.conninfo.replace(`port=${n3.server.port}`, `port=${pgbouncer.port}`);
        const daemons: StartedDaemon[] = [];
        for (const node of [n1, n2, n3]) daemons.push(await startDaemonOn(node));
        const [d1, d2, d3] = daemons;
        for (const node of [n2, n3]) await waitUntilArmed(node);
        const logs = (): string =>
          daemons.map((daemon, index) => `--- n${index + 1}:\n${daemon.log()}`).join("\n");
        expect(await statusOf(n1)).toContain("automatic failover is armed\n");

        await n1.server.sql("UPDATE repmgr.nodes SET conninfo = $1 WHERE node_id = 3", [pooled]);
        for (const node of [n2, n3]) await waitUntilReplayed(n1, node);
        const status = await statusOf(n1);
        expect(status).toContain("automatic failover is not armed\n");
        expect(status).toContain(
          '"conninfo" leads to a connection pooler instead of the server: "n3" (ID: 3)',
        );
        const doctor = await runProgram(["-f", n1.configFile, "doctor", "--format=json"]);
        expect(doctor.stdout).toContain('"code": "through_pooler"');
        for (const daemon of [d1, d2]) await daemon?.says(new RegExp(ERROR.source));

        d1?.signal("SIGKILL");
        await n1.server.stop("immediate");
        await d2?.says(/node "n2" \(ID: 2\) is in degraded state: no majority of the nodes can be seen/);
        await n2.server.sql("SELECT pg_sleep(5)");
        expect(await isPrimary(n2), logs()).toBe(false);
        expect(await isPrimary(n3), logs()).toBe(false);
        expect(d1?.log().match(ERROR)).toHaveLength(1);
        expect(d2?.log().match(ERROR)).toHaveLength(1);

        d3?.signal("SIGKILL");
        await appendFile(n3.configFile, `conninfo='${pooled}'\n`);
        const refused = startDaemon(n3.configFile);
        expect((await refused.ended).exitCode).toBe(1);
        expect(refused.log()).toContain('[ERROR] "conninfo" leads to a connection pooler');
        await waitUntil("it is gone", async () =>
          (await statusOf(n2)).includes("leads to a connection pooler"),
        );
      },
    );
  },
);
