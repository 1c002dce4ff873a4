import { writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createPrimary, freePort, newDirectory, type TestServer } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf } from "../../harness/program.js";
import { createRegisteredPrimary, insertNode } from "../cluster/make-cluster.js";
import { diagnose, hintOf } from "./diagnose.js";

describe("doctor before anything is registered", () => {
  const confOf = (server: TestServer): Promise<string> =>
    writeRepmgrConf(server, { node_id: 1, node_name: "n1" });

  it("finds what a fresh server lacks", async () => {
    const server = await createPrimary({
      settings: { wal_level: "minimal", max_wal_senders: "0", hot_standby: "off", wal_log_hints: "off" },
      dataChecksums: false,
    });
    const found = await diagnose(await confOf(server));
    expect(found.exitCode).toBe(25);
    expect(found.codes).toEqual(
      expect.arrayContaining(
        ["wal_level", "max_wal_senders", "hot_standby", "rewind_impossible", "replication_refused"].map(
          (code) => `1 ${code}`,
        ),
      ),
    );
    expect(hintOf(found, "wal_level")).toContain("ALTER SYSTEM SET wal_level = 'replica'");
    expect(hintOf(found, "not_registered")).toContain("primary register");
    expect(hintOf(found, "schema_missing")).toContain("primary register");
  });

  it("finds a pg_hba.conf without replication, and the line that is missing", async () => {
    const server = await createPrimary({ hba: ["host repmgr repmgr 127.0.0.1/32 scram-sha-256"] });
    const found = await diagnose(await confOf(server));
    expect(found.codes).toContain("1 access_refused");
    expect(hintOf(found, "access_refused")).toContain('"host replication repmgr 127.0.0.1/32 scram-sha-256"');
  });

  it("finds a role without the right to replicate", async () => {
    const server = await createPrimary();
    await server.sql("ALTER ROLE repmgr NOSUPERUSER NOREPLICATION");
    const found = await diagnose(await confOf(server));
    expect(hintOf(found, "replication_refused")).toContain("ALTER ROLE repmgr REPLICATION");
  });

  it("finds a server that listens elsewhere than conninfo looks", async () => {
    const server = await createPrimary({
      settings: { listen_addresses: "" },
      hba: ["local all all scram-sha-256"],
    });
    const found = await diagnose(await confOf(server));
    expect(found.codes).toEqual(expect.arrayContaining(["1 connection_failed", "1 listen_addresses"]));
    expect(hintOf(found, "connection_failed")).toContain("listen_addresses = '*'");
  });

  it("finds a password file that others may read", async () => {
    const server = await createPrimary();
    const passfile = join(await newDirectory("passfile"), "pgpass");
    await writeFile(passfile, "", { mode: 0o644 });
    const found = await diagnose(await confOf(server), { env: { PGPASSFILE: passfile } });
    expect(hintOf(found, "passfile_mode")).toBe(`chmod 600 ${passfile}`);
  });

  it("names the next command where there is no server and no data yet", async () => {
    const primary = await createRegisteredPrimary();
    const directory = await newDirectory("fresh");
    const port = await freePort();
    const fresh = {
      directory,
      dataDirectory: join(directory, "data"),
      binDirectory: primary.server.binDirectory,
      conninfo: `host=127.0.0.1 port=${port} user=repmgr dbname=repmgr connect_timeout=2`,
    };
    const configFile = await writeRepmgrConf(fresh, { node_id: 2, node_name: "n2" });
    const alone = await diagnose(configFile);
    expect(alone.codes).toEqual(expect.arrayContaining(["2 data_directory_missing", "2 connection_failed"]));
    const words = ["-h", "127.0.0.1", "-p", String(primary.server.port), "-U", "repmgr", "-d", "repmgr"];
    const beside = await diagnose(configFile, { words });
    expect(beside.checks.some((check) => check.node_id === 1 && check.check === "version")).toBe(true);
    expect(hintOf(beside, "not_registered")).toContain("standby clone");
  });

  it.each([
    ["a broken", "cluster=x\nnode_id=1\n", "configuration_error", "cluster"],
    ["an empty", "", "configuration_error", "empty"],
    ["a double-quoted", 'node_id=1\nnode_name="n1"\n', "configuration_error", "node_name"],
  ])("tells what is wrong with %s repmgr.conf", async (_kind, text, code, word) => {
    const configFile = join(await newDirectory("conf"), "repmgr.conf");
    await writeFile(configFile, text);
    const found = await diagnose(configFile);
    expect(found.exitCode).toBe(25);
    expect(found.checks.find((check) => check.code === code)?.message).toContain(word);
  });

  it("tells that there is no repmgr.conf", async () => {
    const { exitCode, stdout } = await runProgram(["doctor"]);
    expect(exitCode).toBe(25);
    expect(stdout).toContain("no repmgr.conf was found");
    expect(await diagnose("/no/such/repmgr.conf")).toMatchObject({
      exitCode: 25,
      problems: [{ severity: "error", code: "configuration_error" }],
    });
  });

  it("asks all nodes at once: those that stay silent cost one connect_timeout together", async () => {
    const primary = await createRegisteredPrimary();
    const silent = createServer(() => undefined);
    await new Promise<void>((listening) => silent.listen(0, "127.0.0.1", listening));
    const { port } = silent.address() as AddressInfo;
    for (const id of [2, 3, 4]) {
      const conninfo = `host=127.0.0.1 port=${port} user=repmgr dbname=repmgr connect_timeout=2`;
      await insertNode(primary, { node_id: id, conninfo });
    }
    const start = performance.now();
    const found = await diagnose(primary.configFile);
    const seconds = (performance.now() - start) / 1000;
    silent.close();
    expect(found.codes.filter((code) => code.endsWith("connection_failed"))).toHaveLength(3);
    expect(seconds).toBeLessThan(2 * 2);
  });

  it("refuses what it does not understand", async () => {
    const { exitCode, stderr } = await runProgram(["doctor", "everything", "--format=csv"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('too many command-line arguments (first extra is "everything")');
    expect(stderr).toContain("doctor has no CSV");
  });
});
