import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createPrimary, newDirectory, type TestServer } from "../../harness/postgres-server.js";
import { runProgram, startProgram, writeRepmgrConf } from "../../harness/program.js";
import { createStandby } from "../../harness/standby.js";

/** AuthenticationOk and ReadyForQuery of PostgreSQL's protocol. */
const AUTHENTICATED_AND_READY = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);

describe("standby register", () => {
  let primary: TestServer;
  let standby: TestServer;
  let conf: string;

  const register = (...options: string[]): ReturnType<typeof runProgram> =>
    runProgram(["-f", conf, "standby", "register", ...options]);

  /** A configuration beside the one at `conf`. */
  const writeOtherConf = async (values: Parameters<typeof writeRepmgrConf>[1]): Promise<string> =>
    writeRepmgrConf({ ...standby, directory: await newDirectory("other-conf") }, values);

  const addRecord = (id: number, conninfo: string): Promise<unknown> =>
    primary.sql(
      `INSERT INTO repmgr.nodes (node_id, upstream_node_id, node_name, type, conninfo, repluser, config_file)
       VALUES ($1, 1, $2, 'standby', $3, 'repmgr', '')`,
      [id, `node${id}`, conninfo],
    );

  beforeAll(async () => {
    primary = await createPrimary({ name: "node1" });
    const primaryConf = await writeRepmgrConf(primary, { node_id: 1, node_name: "node1" });
    await runProgram(["-f", primaryConf, "primary", "register"]);
    standby = await createStandby(primary, "node2");
    conf = await writeRepmgrConf(standby, { node_id: 2, node_name: "node2" });
  });

  it("refuses a primary", async () => {
    const primaryConf = await writeRepmgrConf(primary, { node_id: 9, node_name: "node9" });
    const result = await runProgram(["-f", primaryConf, "standby", "register"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("ERROR: this node should be a standby");
  });

  it("changes nothing with --dry-run", async () => {
    const result = await register("--dry-run");
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain("INFO: would register this standby (ID: 2) with upstream node 1");
    expect(await primary.sql("SELECT FROM repmgr.nodes WHERE node_id = 2")).toEqual([]);
  });

  it("registers an attached standby and waits for its own copy of the record", async () => {
    const result = await register("--wait-sync=20");
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toContain(
      "WARNING: --upstream-node-id not supplied, assuming upstream node is primary (node ID: 1)",
    );
    expect(result.stderr).toContain("INFO: node record on standby synchronised from primary");
    expect(result.stderr).toMatch(
      /INFO: standby registration complete\nNOTICE: standby node "node2" \(ID: 2\) successfully registered\n$/,
    );
    expect(
      await standby.sql("SELECT type, upstream_node_id, active FROM repmgr.nodes WHERE node_id = 2"),
    ).toEqual([{ type: "standby", upstream_node_id: 1, active: true }]);
  });

  it("refuses to register again without --force", async () => {
    const result = await register();
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("ERROR: node 2 is already registered\nHINT: use option -F/--force");
  });

  it("runs the notification command with the placeholders of the event", async () => {
    const target = join(standby.directory, "notified");
    const notifying = await writeRepmgrConf(standby, {
      node_id: 2,
      node_name: "node2",
      event_notification_command: `echo "%n|%e|%s|%d|%p|%a|%c" >> ${target}`,
      event_notifications: "standby_register",
    });
    await runProgram(["-f", notifying, "standby", "register", "-F", "--wait-sync=20"]);
    expect(await readFile(target, "utf8")).toBe(
      `2|standby_register|1|standby registration succeeded; upstream node ID is 1 (-F/--force option was used)|1|node1|${primary.conninfo}\n`,
    );
  });

  it("only warns when the notification command fails", async () => {
    const failing = await writeRepmgrConf(standby, {
      node_id: 2,
      node_name: "node2",
      event_notification_command: "echo broken pager >&2; exit 3",
    });
    const result = await runProgram(["-f", failing, "standby", "register", "-F"]);
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain("WARNING: unable to execute event notification command");
    expect(result.stderr).toContain("exit status 3:\nbroken pager");
  });

  it("does not wait for what the notification command leaves in the background", async () => {
    const notified = await writeOtherConf({
      node_id: 2,
      node_name: "node2",
      event_notification_command: "sleep 70 & echo started",
    });
    const result = await runProgram(["-f", notified, "standby", "register", "-F"]);
    expect(result).toMatchObject({ exitCode: 0 });
  });

  it("does not wait for nodes that accept connections and then say nothing", async () => {
    const mute = createServer((socket) => {
      const answers = [AUTHENTICATED_AND_READY, Buffer.from("N")];
      socket.on("error", () => {}).on("data", () => socket.write(answers.pop() ?? ""));
    }).listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    const conninfo = `host=127.0.0.1 port=${port} user=repmgr dbname=repmgr connect_timeout=2`;
    await addRecord(7, conninfo);
    const result = await register("-F", "--wait-sync=20");
    await primary.sql("DELETE FROM repmgr.nodes WHERE node_id = 7");
    mute.close();
    expect(result).toMatchObject({ exitCode: 0 });
  });

  it("calls an upstream unreachable whose record has no readable conninfo", async () => {
    await addRecord(7, "host=n7 nonsense");
    const other = await writeOtherConf({ node_id: 6, node_name: "node6" });
    const result = await runProgram(["-f", other, "standby", "register", "--upstream-node-id=7"]);
    await primary.sql("DELETE FROM repmgr.nodes WHERE node_id = 7");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(
      'ERROR: unable to connect to upstream node "node7" (ID: 7)\nDETAIL: missing "=" after "nonsense"',
    );
  });

  it("gives a name to one of two standbys that want it at the same moment", async () => {
    const confs = await Promise.all(
      [21, 22].map((id) => writeOtherConf({ node_id: id, node_name: "node2" })),
    );
    await primary.sql("DELETE FROM repmgr.nodes WHERE node_id = 2");
    const results = await Promise.all(confs.map((path) => runProgram(["-f", path, "standby", "register"])));
    expect(results.map(({ exitCode }) => exitCode).sort()).toEqual([0, 1]);
    expect(await primary.sql("SELECT FROM repmgr.nodes WHERE node_name = 'node2'")).toHaveLength(1);
    await primary.sql("DELETE FROM repmgr.nodes WHERE node_name = 'node2'");
    expect((await register()).exitCode).toBe(0);
  });

  it("refuses a name that another node has", async () => {
    const renamed = await writeRepmgrConf(standby, { node_id: 2, node_name: "node1" });
    const result = await runProgram(["-f", renamed, "standby", "register", "-F"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('node 1 exists already with node_name "node1"');
  });

  it("refuses a server that is not attached, and names the setting to check", async () => {
    const stranger = await writeRepmgrConf(standby, { node_id: 4, node_name: "node4" });
    const result = await runProgram(["-f", stranger, "standby", "register"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(
      'ERROR: local node "node4" (ID: 4) is not attached to specified upstream node',
    );
    expect(result.stderr).toContain('application_name must be "node4"');
  });

  it("creates a placeholder for an unknown upstream with --force", async () => {
    const result = await register("-F", "--upstream-node-id=8", "--upstream-conninfo=host=n8");
    expect(result.exitCode).toBe(0);
    expect(await primary.sql("SELECT node_id, active, conninfo FROM repmgr.nodes WHERE node_id = 8")).toEqual(
      [{ node_id: 8, active: false, conninfo: "host=n8" }],
    );
    expect((await register("-F")).exitCode).toBe(0);
  });

  it("exits 20 when the record does not reach the standby in time", async () => {
    await standby.sql("SELECT pg_wal_replay_pause()");
    const renamed = await writeRepmgrConf(standby, { node_id: 2, node_name: "node2", location: "dc9" });
    const result = await runProgram(["-f", renamed, "standby", "register", "-F", "--wait-sync=1"]);
    await standby.sql("SELECT pg_wal_replay_resume()");
    expect(result.exitCode).toBe(20);
    expect(result.stderr).toContain("ERROR: node record was not synchronised to the standby");
    expect(
      await primary.sql(
        "SELECT successful FROM repmgr.events WHERE event = 'standby_register_sync' AND NOT successful",
      ),
    ).toEqual([{ successful: false }]);
  });

  it("waits for the server to start", async () => {
    await standby.stop();
    const waiting = startProgram(["-f", conf, "standby", "register", "--wait-start=30"]);
    await standby.start();
    expect((await waiting.result).stderr).toContain("ERROR: node 2 is already registered");
  });

  it("gives up on a server that does not start, and says how to register it all the same", async () => {
    await standby.stop();
    const result = await register("--wait-start=1");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('ERROR: unable to connect to local node "node2" (ID: 2)');
    expect(result.stderr).toContain("provide primary connection parameters and use option -F/--force");
  });

  it("registers a server that is down by way of the primary", async () => {
    const viaPrimary = ["-h", "127.0.0.1", "-p", String(primary.port), "-U", "repmgr", "-d", "repmgr"];
    const result = await register("-F", ...viaPrimary);
    expect(result).toMatchObject({ exitCode: 0 });
    await standby.start();
  });

  it("refuses a standby of another cluster even with --force", async () => {
    const otherPrimary = await createPrimary({ name: "other" });
    const otherConf = await writeRepmgrConf(otherPrimary, { node_id: 1, node_name: "node1" });
    await runProgram(["-f", otherConf, "primary", "register"]);
    await otherPrimary.sql("UPDATE repmgr.nodes SET conninfo = $1", [primary.conninfo]);
    const otherStandby = await createStandby(otherPrimary, "node5");
    const strayConf = await writeRepmgrConf(otherStandby, { node_id: 5, node_name: "node5" });
    const result = await runProgram(["-f", strayConf, "standby", "register", "-F"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("ERROR: this node is not a standby of this cluster");
  });
});
