import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createPrimary, newDirectory, testPassword, type TestServer } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf } from "../../harness/program.js";
import { createKey, startSshd, writeSshConfig } from "../../harness/sshd.js";
import { makePlace, type Place } from "./make-source.js";

/** Bytes that are no UTF-8, a NUL among them, and no newline at the end. */
const strangeBytes = Buffer.from([0x23, 0xe9, 0x00, 0xff, 0x0a, 0x23, 0x20]);

describe("standby clone --copy-external-config-files", () => {
  let source: TestServer;
  let external: string;
  let sshOptions: string;
  let other: string;

  beforeAll(async () => {
    const key = await createKey(await newDirectory("keys"), "id_test");
    const sshd = await startSshd({ allowedKeys: [key], profile: await installOtherIdentFile() });
    ({ sshOptions } = await writeSshConfig({
      hosts: { "127.0.0.1": sshd },
      knownHosts: [sshd],
      keys: [key],
    }));
    external = await newDirectory("etc");
    source = await createPrimary({ name: "node1" });
    await moveConfiguration();
    const conf = await writeRepmgrConf(source, { node_id: 1, node_name: "node1" });
    await runProgram(["-f", conf, "primary", "register"]);
  });

  /** As distributions have it; `hba_file` and an included file lie there as well. */
  async function moveConfiguration(): Promise<void> {
    await source.stop();
    const included = join(external, "conf.d");
    await mkdir(included);
    await writeFile(join(included, "work memory.conf"), "work_mem = '7MB'\n", { mode: 0o640 });
    const hba = await readFile(join(source.dataDirectory, "pg_hba.conf"));
    await writeFile(join(external, "hba"), Buffer.concat([hba, strangeBytes.subarray(0, 2)]), {
      mode: 0o604,
    });
    await writeFile(join(external, "pg_ident.conf"), strangeBytes, { mode: 0o600 });
    await writeFile(
      join(source.dataDirectory, "postgresql.auto.conf"),
      [
        `include_dir '${included}'`,
        `hba_file = '${join(external, "hba")}'`,
        `ident_file = '${join(external, "pg_ident.conf")}'`,
        "",
      ].join("\n"),
      { flag: "a" },
    );
    await source.start();
  }

  /** Both hosts are this machine; over SSH pg_ident.conf has another content as long as the file `other` is there. */
  async function installOtherIdentFile(): Promise<string> {
    const directory = await newDirectory("ssh-path");
    other = join(directory, "other");
    const script = `#!/bin/sh
case "$2" in
*pg_ident.conf) test -e '${other}' && set -- -- '${other}' ;;
esac
exec /usr/bin/base64 "$@"
`;
    await writeFile(join(directory, "base64"), script, { mode: 0o755 });
    return `PATH='${directory}':$PATH`;
  }

  beforeEach(async () => {
    await rm(other, { force: true });
    await chmod(external, 0o700);
  });

  const makeTarget = (values: Readonly<Record<string, string>> = {}): Promise<Place> =>
    makePlace(source, { node_id: 2, ssh_options: sshOptions, ...values });

  it("puts the files into the data directory with their bytes and modes", async () => {
    const place = await makeTarget();
    const result = await place.clone("-c", "--verify-backup", "--copy-external-config-files=pgdata");
    expect(result.stderr).not.toContain("WARNING");
    expect(result.exitCode).toBe(0);
    const copied = join(place.dataDirectory, "pg_ident.conf");
    expect(await readFile(copied)).toEqual(strangeBytes);
    expect((await stat(copied)).mode & 0o777).toBe(0o600);
    expect((await stat(join(place.dataDirectory, "hba"))).mode & 0o777).toBe(0o604);
    expect((await stat(join(place.dataDirectory, "work memory.conf"))).mode & 0o777).toBe(0o640);
    expect(await readdir(place.dataDirectory)).not.toContainEqual(expect.stringContaining(".tsrepmgr.tmp"));
  });

  it("replaces files at the same path, and leaves alone what is the same already", async () => {
    const place = await makeTarget();
    const ident = join(external, "pg_ident.conf");
    const inodeOf = async (name: string): Promise<number> => (await stat(join(external, name))).ino;
    const before = await inodeOf("hba");
    await writeFile(other, "# of the source\n");

    const plan = await place.clone("-c", "--copy-external-config-files", "--dry-run");
    expect(plan.stderr).toContain(
      `INFO: would copy from host "127.0.0.1":\n  ${ident} (another file lies there)\n`,
    );
    expect(plan.exitCode).toBe(0);
    expect(await readFile(ident)).toEqual(strangeBytes);

    const result = await place.clone("-c", "--copy-external-config-files");
    expect(result.exitCode).toBe(0);
    expect(await readFile(ident, "utf8")).toBe("# of the source\n");
    expect((await stat(ident)).mode & 0o777).toBe(0o600);
    expect(await inodeOf("hba")).toBe(before);
    await writeFile(ident, strangeBytes);
  });

  it("refuses before anything is changed, and does without the files with --force", async () => {
    const place = await makeTarget();
    await writeFile(other, "# of the source\n");
    await chmod(external, 0o500);
    for (const more of [["--dry-run"], []]) {
      const result = await place.clone("-c", "--copy-external-config-files", ...more);
      expect(result.stderr).toContain(
        `ERROR: unable to write configuration file "${join(external, "pg_ident.conf")}"\nDETAIL: "${external}": permission denied\n`,
      );
      expect(result.exitCode).toBe(2);
      await expect(readdir(place.dataDirectory)).rejects.toThrow("ENOENT");
    }
    const forced = await place.clone("-c", "--copy-external-config-files", "-F");
    expect(forced.stderr).toContain('pg_ident.conf"; it is not copied\n');
    expect(forced.exitCode).toBe(0);
  });

  it("refuses when the host cannot be reached by SSH", async () => {
    const place = await makeTarget({ ssh_options: `${sshOptions} -p 1` });
    const result = await place.clone("-c", "--copy-external-config-files=pgdata");
    expect(result.stderr).toContain('ERROR: unable to read the configuration files of host "127.0.0.1"\n');
    expect(result.stderr).toContain("HINT: ");
    expect(result.exitCode).toBe(1);
    await expect(readdir(place.dataDirectory)).rejects.toThrow("ENOENT");
  });

  it("says which right the user lacks, and takes a superuser for it", async () => {
    await source.sql(`CREATE ROLE plain LOGIN REPLICATION PASSWORD '${testPassword}'`);
    await source.sql("GRANT SELECT ON ALL TABLES IN SCHEMA repmgr TO plain");
    await source.sql("GRANT USAGE ON SCHEMA repmgr TO plain");
    const place = await makeTarget();
    const connection = ["-h", "127.0.0.1", "-p", String(source.port), "-U", "plain", "-d", "repmgr"];
    const refused = await place.clone(...connection, "-c", "--copy-external-config-files", "--dry-run");
    expect(refused.stderr).toContain(
      'ERROR: user "plain" may not see the configuration files of the source node\nHINT: grant the right on the primary: GRANT pg_read_all_settings TO plain;',
    );
    expect(refused.exitCode).toBe(1);
    const superuser = [...connection, "-S", "repmgr", "--copy-external-config-files=pgdata"];
    const accepted = await place.clone(...superuser, "-c", "--dry-run");
    expect(accepted.stderr).toContain(`${join(external, "hba")} to ${join(place.dataDirectory, "hba")}\n`);
    expect(accepted.exitCode).toBe(0);
  });

  it("ends with code 2 when a file cannot be put in place after the copy", async () => {
    await mkdir(join(source.dataDirectory, "hba", "taken"), { recursive: true });
    const place = await makeTarget();
    const result = await place.clone("-c", "--copy-external-config-files=pgdata");
    await rm(join(source.dataDirectory, "hba"), { recursive: true });
    expect(result.stderr).toContain("ERROR: unable to copy the configuration files\n");
    expect(result.stderr).toContain("a copy that is not a standby yet is left in");
    expect(result.exitCode).toBe(2);
    expect(await readdir(place.dataDirectory)).not.toContain("standby.signal");
    expect(await readdir(place.dataDirectory)).not.toContainEqual(expect.stringContaining(".tsrepmgr.tmp"));
    expect((await place.clone("-c", "-F", "--copy-external-config-files=pgdata")).exitCode).toBe(0);
  });
});
