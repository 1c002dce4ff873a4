import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { newDirectory, type TestServer } from "../../harness/postgres-server.js";
import { testEnvironment } from "../../harness/test-run.js";
import { makePlace, makeSource, slotsOf } from "./make-source.js";

/** Runs a shell line where a small file system of our own is mounted at `place`; needs no root. */
function runWithSmallDisk(place: string, line: string): Promise<{ exitCode: number; stderr: string }> {
  const mount = `mount -t tmpfs -o size=8m,mode=0700 none '${place}' && exec ${line}`;
  const inNamespace = 'exec unshare -c -m --keep-caps sh -c "$0"';
  return new Promise((fulfil) => {
    execFile("sh", ["-c", inNamespace, mount], { env: testEnvironment() }, (error, _stdout, stderr) => {
      fulfil({ exitCode: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, stderr });
    });
  });
}

describe("standby clone onto a disk that is too small", () => {
  let primary: TestServer;

  beforeAll(async () => {
    primary = await makeSource();
  });

  it("says what is missing, empties the directory and drops the slot", async ({ skip }) => {
    const probe = await runWithSmallDisk(await newDirectory("probe"), "true");
    if (probe.exitCode !== 0)
      skip("this system does not let an ordinary user mount in a namespace of its own");
    const directory = await newDirectory("small");
    const place = await makePlace(primary, {
      node_id: 2,
      use_replication_slots: true,
      data_directory: directory,
    });
    const program = `'${process.execPath}' '${resolve(import.meta.dirname, "../../../bin/tsrepmgr.js")}'`;
    const result = await runWithSmallDisk(
      directory,
      `${program} -f '${place.conf}' -h ${primary.host} -p ${primary.port} -U repmgr -d repmgr standby clone -c`,
    );
    expect(result.stderr).toContain(`WARNING: the file system of "${directory}" may be too small`);
    expect(result.stderr).toContain("ERROR: unable to take a base backup of the source server\n");
    expect(result.stderr).toMatch(/DETAIL: [^]*No space left on device/);
    expect(result.stderr).toContain(`nothing is left in data directory "${directory}"`);
    expect(result.stderr).toMatch(
      /HINT: make room on the file system of .* \(8192 kB are free now, the databases of the source take /,
    );
    expect(result.stderr).toContain('INFO: replication slot "repmgr_slot_2" dropped');
    expect(result.exitCode).toBe(14);
    expect(await slotsOf(primary)).toEqual([]);
  });
});
