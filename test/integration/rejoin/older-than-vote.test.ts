import { appendFile, chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { emptyState, stateFileOf, writeState } from "../../../src/coordination/state-file.js";
import { nodeId } from "../../../src/model/node-record.js";
import { ordinaryUser } from "../../harness/ordinary-user.js";
import { addStandby, expectSuccess, makePrimary, type Node } from "../killed/make-nodes.js";

/** Leaves what the daemon of this node would have left after its vote. */
async function vote({ id, server, conf }: Node, term: number): Promise<void> {
  const [row] = await server.sql<{ id: string }>(
    "SELECT system_identifier::text AS id FROM pg_control_system()",
  );
  const directory = join(server.directory, "state");
  await mkdir(directory, { recursive: true });
  await appendFile(conf, `state_directory='${directory}'\n`);
  const owner = { nodeId: nodeId(id), systemIdentifier: row?.id ?? "" };
  const file = stateFileOf(directory, owner);
  await writeState(file, owner, { ...emptyState, votedTerm: term, votedFor: nodeId(9), votedAt: Date.now() });
  const user = ordinaryUser();
  if (user !== null) for (const path of [directory, file]) await chown(path, user.uid, user.gid);
}

const words = "is older than a vote of this node";

describe("a primary whose term is below a vote of this node", () => {
  it("is refused by standby follow until it is of the voted term", async () => {
    const primary = await makePrimary();
    const [standby, other] = [await addStandby(primary, 2), await addStandby(primary, 3)];
    // Away from the primary, so that there is something to do.
    await expectSuccess(standby.run("standby", "follow", "--upstream-node-id=3"));
    await vote(standby, 5);
    const refused = await standby.run("standby", "follow");
    expect(refused.exitCode, refused.output).toBe(23);
    expect(refused.stderr).toContain(`the follow target ${words}`);
    expect(refused.stderr).toContain("this node has voted in term 5; that of the primary is ");
    const [row] = await standby.server.sql<{ conninfo: string }>(
      "SELECT current_setting('primary_conninfo') AS conninfo",
    );
    expect(row?.conninfo).toContain(`port=${other.server.port}`);
    await primary.server.sql("UPDATE repmgr.voting_term SET term = 5");
    await expectSuccess(standby.run("standby", "follow"));
  });

  it("is refused by node rejoin for good in synchronous mode", async () => {
    const primary = await makePrimary();
    const standby = await addStandby(primary, 2);
    await vote(standby, 5);
    await appendFile(standby.conf, "sync_mode='quorum'\n");
    await standby.server.stop();
    const rejoin = () => standby.run("node", "rejoin", "-d", primary.server.conninfo);
    const refused = await rejoin();
    expect(refused.exitCode, refused.output).toBe(24);
    expect(refused.stderr).toContain(`the rejoin target ${words}`);
    expect(refused.stderr).toContain("HINT: see that the daemon of the primary runs");
    await primary.server.sql("UPDATE repmgr.voting_term SET term = 5");
    await expectSuccess(rejoin());
  });
});
