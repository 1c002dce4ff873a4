import { beforeAll, describe, expect, it } from "vitest";
import { startProgram } from "../../harness/program.js";
import { addStandby, awaitStreaming, expectSuccess, makeNode, makePrimary, type Node } from "./make-nodes.js";

/** One story in this order: each test leaves the node for the next. */
describe("Ctrl-C", () => {
  let node1: Node;
  let node2: Node;

  const interruptAt = async (line: string, args: readonly string[]) => {
    let stderr = "";
    const started = startProgram(args, {
      onStderr: (text) => {
        const wasThere = stderr.includes(line);
        stderr += text;
        if (!wasThere && stderr.includes(line)) started.kill("SIGINT");
      },
    });
    return started.result;
  };

  beforeAll(async () => {
    node1 = await makePrimary();
    node2 = await addStandby(node1, 2);
    await node1.server.stop();
  });

  it("in standby promote says that the rest is left, and the same command does it", async () => {
    const { binDirectory, dataDirectory } = node2.server;
    const values = {
      service_promote_command: `sleep 1; ${binDirectory}/pg_ctl -W -D ${dataDirectory} promote`,
    };
    node2 = await makeNode(node2.server, 2, values);
    const result = await interruptAt("NOTICE: promoting standby", ["-f", node2.conf, "standby", "promote"]);
    expect(result.exitCode, result.output).toBe(130);
    expect(result.stderr).toMatch(
      /ERROR: standby promote was interrupted\nDETAIL: done:[^]*left:[^]*record it as the primary\nHINT: run the same command again to finish it\n/,
    );
    await expectSuccess(node2.run("standby", "promote"));
  });

  it("in node rejoin says that the rest is left, and the same command does it", async () => {
    const { binDirectory, dataDirectory, logFile } = node1.server;
    const command = `${binDirectory}/pg_ctl -l ${logFile} -w -D ${dataDirectory} start`;
    node1 = await makeNode(node1.server, 1, { service_start_command: `sleep 1; ${command}` });
    const words = ["node", "rejoin", "-d", node2.server.conninfo];
    const result = await interruptAt("NOTICE: starting server", ["-f", node1.conf, ...words]);
    expect(result.exitCode, result.output).toBe(130);
    expect(result.stderr).toMatch(
      /ERROR: node rejoin was interrupted\nDETAIL: done:\n {2}- create replication slot[^]*left:\n {2}- start this server[^]*\nHINT: run the same command again/,
    );
    await expectSuccess(node1.run(...words));
    await awaitStreaming(node2, node1);
  });

  it("in standby follow says that the rest is left, and the same command does it", async () => {
    const node3 = await addStandby(node2, 3);
    const { binDirectory, dataDirectory } = node3.server;
    const reload = `sleep 1; ${binDirectory}/pg_ctl -D ${dataDirectory} reload`;
    const slow = await makeNode(node3.server, 3, { service_reload_command: reload });
    const words = ["standby", "follow", "--upstream-node-id=1"];
    const result = await interruptAt("NOTICE: setting node 3's upstream", ["-f", slow.conf, ...words]);
    expect(result.exitCode, result.output).toBe(130);
    expect(result.stderr).toMatch(
      /ERROR: standby follow was interrupted\nDETAIL: done:[^]*left:[^]*\nHINT: run the same command again/,
    );
    await expectSuccess(slow.run(...words));
    await awaitStreaming(node1, node3);
  });
});
