import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runProgram, writeRepmgrConf, type ProgramResult } from "../../harness/program.js";
import {
  addStandby,
  createRegisteredPrimary,
  insertNode,
  waitUntilReplayed,
  type TestNode,
} from "../cluster/make-cluster.js";
import { waitUntil } from "../../harness/wait-until.js";

describe("node status", () => {
  let n1: TestNode;
  let n2: TestNode;

  const status = (node: TestNode, ...options: string[]): Promise<ProgramResult> =>
    runProgram(["-f", node.configFile, "node", "status", ...options]);
  const json = async (node: TestNode): Promise<{ node: Record<string, unknown>; problems: unknown[] }> =>
    JSON.parse((await status(node, "--format=json")).stdout) as Awaited<ReturnType<typeof json>>;

  beforeAll(async () => {
    n1 = await createRegisteredPrimary();
    n2 = await addStandby(2, n1);
  });

  beforeEach(async () => {
    await n1.server.sql("DELETE FROM repmgr.nodes WHERE node_id > 2");
    await waitUntilReplayed(n1, n2);
  });

  it("shows a healthy primary", async () => {
    const result = await status(n1);
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    expect(result.stdout).toMatch(
      /^Node "n1":\n\tPostgreSQL version: \d+\.\d+\n\tTotal data size: \d+ [kM]B\n\tConninfo: host=.*\n\tRole: primary\n\tWAL archiving: off\n\tArchive command: \(none\)\n\tReplication connections: 1 \(of maximal 10\)\n\tReplication slots: 0 physical \(of maximal 10; 0 missing\)\n\tReplication lag: n\/a\n\n$/,
    );
  });

  it("shows upstream and positions of a standby", async () => {
    const result = await status(n2);
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    expect(result.stdout).toMatch(
      /\tUpstream node: n1 \(ID: 1\)\n\tReplication lag: 0 seconds\n\tLast received LSN: \w+\/\w+\n\tLast replayed LSN: \w+\/\w+\n\n$/,
    );
    expect((await json(n2)).node).toMatchObject({
      in_recovery: true,
      upstream: { id: 1, name: "n1" },
      replication: { receiving: true, lag_seconds: 0 },
    });
  });

  it("adds the system identifier when verbose", async () => {
    const [row] = await n1.server.sql<{ id: string }>(
      "SELECT system_identifier::text AS id FROM pg_control_system()",
    );
    expect((await status(n1, "-v")).stdout).toContain(`\tSystem identifier: ${row?.id}\n\tRole:`);
    expect((await status(n1, "-v", "--csv")).stdout).toContain(`"System identifier","${row?.id}"\n"Role",`);
  });

  it("exits 25 for missing and inactive slots and a standby that is not attached", async () => {
    await insertNode(n1, { node_id: 3, slot_name: "repmgr_slot_3" });
    await n1.server.sql("SELECT pg_create_physical_replication_slot('left_over')");
    const [text, terse, csv] = await Promise.all([status(n1), status(n1, "-t"), status(n1, "--csv")]);
    await n1.server.sql("SELECT pg_drop_replication_slot('left_over')");
    expect([text, terse, csv].map(({ exitCode }) => exitCode)).toEqual([25, 25, 25]);
    expect(text.stderr).toContain('WARNING: node "n3" not found in "pg_stat_replication"');
    expect(text.stderr).toContain("  - 1 of 2 downstream nodes not attached:\n    - n3 (ID: 3)\n");
    expect(terse.stderr).not.toContain("following issue(s)");
    expect(csv.stdout).toMatch(
      /"inactive_replication_slots",1,"left_over"\n"missing_replication_slots",1,"repmgr_slot_3"\n$/,
    );
  });

  it("sees a standby that was promoted by hand", async () => {
    const n3 = await addStandby(3, n1);
    await n3.server.sql("SELECT pg_promote()");
    const result = await status(n3);
    expect(result.exitCode).toBe(25);
    expect(result.stderr).toContain("node is registered as standby but running as primary");
    await n3.server.stop();
  });

  it("takes no directory for a WAL file that waits", async () => {
    const path = join(n1.server.dataDirectory, "pg_wal/archive_status/mistake.ready");
    await mkdir(path);
    expect((await status(n1)).stdout).not.toMatch(/WALs pending archiving: [1-9]/);
    await rm(path, { recursive: true });
  });

  it("counts WAL files that wait, in the directory or else by asking the server", async () => {
    await n1.server.sql("ALTER SYSTEM SET archive_mode = 'on'");
    await n1.server.sql("ALTER SYSTEM SET archive_command = 'false'");
    await n1.server.stop();
    await n1.server.start();
    await n1.server.sql("SELECT pg_switch_wal()");
    await waitUntil("a file waits", async () => {
      const rows = await n1.server.sql("SELECT FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'");
      return rows.length > 0;
    });
    expect((await status(n1)).stdout).toMatch(/WALs pending archiving: [1-9]\d* pending files/);
    const elsewhere = await writeRepmgrConf(n1.server, {
      node_id: 1,
      node_name: "n1",
      data_directory: "/nonexistent",
    });
    const asked = await runProgram(["-f", elsewhere, "node", "status", "--csv"]);
    expect(asked.stdout).toMatch(/"WALs pending archiving","[1-9]\d*"/);
    await n1.server.sql("ALTER ROLE repmgr NOSUPERUSER");
    await n1.server.sql("GRANT USAGE ON SCHEMA repmgr TO repmgr");
    const refused = await runProgram(["-f", elsewhere, "node", "status"]);
    await n1.server.sql("ALTER ROLE repmgr SUPERUSER");
    await writeRepmgrConf(n1.server, { node_id: 1, node_name: "n1" });
    expect(refused.exitCode).toBe(25);
    expect(refused.stderr).toContain("  - unable to check archive_status directory");
    expect(refused.stdout).not.toContain("pending");
  });

  it("exits 1 for a node that is not registered and 6 for a server that is down", async () => {
    const stranger = await writeRepmgrConf(n1.server, { node_id: 9, node_name: "n9" });
    const unregistered = await runProgram(["-f", stranger, "node", "status"]);
    await writeRepmgrConf(n1.server, { node_id: 1, node_name: "n1" });
    expect(unregistered.exitCode).toBe(1);
    expect(unregistered.stderr).toContain("ERROR: no record found for node 9");
    const nobody = await writeRepmgrConf(n2.server, {
      node_id: 2,
      node_name: "n2",
      conninfo: "host=127.0.0.1 port=1",
    });
    const down = await runProgram(["-f", nobody, "node", "status", "--format=json"]);
    await writeRepmgrConf(n2.server, { node_id: 2, node_name: "n2" });
    expect(down.exitCode).toBe(6);
    expect(JSON.parse(down.stdout)).toMatchObject({ command: "node status", exit_code: 6 });
  });

  describe("--is-shutdown-cleanly", () => {
    const shutdown = (node: TestNode): Promise<ProgramResult> => status(node, "--is-shutdown-cleanly");
    const line = (stdout: string): object => ({ exitCode: 0, stdout: `${stdout}\n`, stderr: "" });

    it("tells a running server from one that was stopped and one that crashed", async () => {
      expect(await shutdown(n2)).toMatchObject(line("--state=UP"));
      await n2.server.stop("immediate");
      expect(await shutdown(n2)).toMatchObject(line("--state=UNCLEAN_SHUTDOWN"));
      await n2.server.start();
      await n2.server.stop();
      const stopped = await shutdown(n2);
      expect(stopped.exitCode).toBe(0);
      expect(stopped.stdout).toMatch(/^--state=SHUTDOWN --last-checkpoint-lsn=[0-9A-F]+\/[0-9A-F]+\n$/);
      await n2.server.start();
    });

    it("gives the position of the shutdown checkpoint of a primary", async () => {
      await n1.server.stop();
      const { stdout } = await shutdown(n1);
      await n1.server.start();
      const position = /--last-checkpoint-lsn=(\S+)/.exec(stdout)?.[1];
      const [row] = await n1.server.sql<{ lsn: string }>(
        "SELECT checkpoint_lsn::text AS lsn FROM pg_control_checkpoint()",
      );
      expect(position).toBe(row?.lsn);
    });

    it("does not take a frozen server for one that crashed", async () => {
      n2.server.signal("SIGSTOP");
      const frozen = await shutdown(n2);
      n2.server.signal("SIGCONT");
      expect(frozen).toMatchObject(line("--state=UP"));
    });

    it("knows nothing of a directory without a server", async () => {
      const directory = join(n1.server.directory, "empty");
      await writeFile(directory, "");
      const configFile = await writeRepmgrConf(n1.server, {
        node_id: 1,
        node_name: "n1",
        data_directory: directory,
      });
      const result = await runProgram(["-f", configFile, "node", "status", "--is-shutdown-cleanly"]);
      await writeRepmgrConf(n1.server, { node_id: 1, node_name: "n1" });
      expect(result).toMatchObject(line("--state=UNKNOWN"));
    });
  });
});
