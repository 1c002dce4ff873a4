import { describe, expect, it } from "vitest";
import { runProgram, type ProgramResult } from "../../harness/program.js";
import type { TestNode } from "../cluster/make-cluster.js";
import { waitUntilAttached } from "../cluster/make-cluster.js";
import { createFailoverCluster, letFailOver } from "../daemon/make-failover-cluster.js";

const REGISTRATION_SYNC = 20;
const MESSAGE = "the change has not reached more than half of the nodes";

describe("adding and removing nodes where votes decide", () => {
  const run = (node: TestNode, ...words: string[]): Promise<ProgramResult> =>
    runProgram(["-f", node.configFile, ...words]);

  it("is done when a majority has it, and fails otherwise unless forced", async () => {
    const [n1, n2, n3] = await createFailoverCluster(3);
    if (n1 === undefined || n2 === undefined || n3 === undefined) throw new Error("three nodes are needed");
    await waitUntilAttached(n1, n2.server.name);
    await waitUntilAttached(n1, n3.server.name);
    const removed = await run(n3, "standby", "unregister");
    expect(removed).toMatchObject({ exitCode: 0 });
    expect(removed.stderr).not.toContain(MESSAGE);
    const added = await run(n3, "standby", "register");
    expect(added).toMatchObject({ exitCode: 0 });
    expect(added.stderr).not.toContain(MESSAGE);

    await n2.server.stop("fast");
    await n3.server.stop("fast");
    const unseen = await run(n1, "standby", "unregister", "--node-id=3");
    expect(unseen.exitCode).toBe(REGISTRATION_SYNC);
    expect(unseen.stderr).toContain(
      `ERROR: ${MESSAGE}\nDETAIL: nodes that have it: "n1" (ID: 1); nodes that have not: "n2" (ID: 2), "n3" (ID: 3)\n`,
    );

    await n3.server.start();
    const third = await run(n3, "standby", "register");
    expect(third.exitCode, "two nodes are not asked for votes").toBe(0);
    expect(third.stderr).toContain(`WARNING: ${MESSAGE}\n`);
    await n3.server.stop("fast");
    const forced = await run(n1, "standby", "unregister", "--node-id=3", "--force");
    expect(forced.exitCode).toBe(0);
    expect(forced.stderr).toContain(`WARNING: ${MESSAGE}\n`);
    await n3.server.start();
    await letFailOver(n3, { failover: "manual" });
    const manual = await run(n3, "standby", "register");
    expect(manual).toMatchObject({ exitCode: 0 });
    expect(manual.stderr).not.toContain(MESSAGE);
  });
});
