import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { nodeId } from "../../../src/model/node-record.js";
import { connectRemoteNode, type RemoteProgram } from "../../../src/remote/remote-node.js";
import { createKey, startSshd, writeSshConfig } from "../../harness/sshd.js";
import { newDirectory } from "../../harness/test-run.js";
import { closeAllHosts, makeHosts } from "./make-hosts.js";

const checkout = resolve(import.meta.dirname, "../../..");
const record = {
  nodeId: nodeId(2),
  nodeName: "node2",
  conninfo: "host=node2 user=repmgr",
  configFile: "/etc/it's/repmgr.conf",
};

let sshOptions: string;
/** On the remote PATH. */
let pathDirectory: string;

beforeAll(async () => {
  const key = await createKey(await newDirectory("keys"), "id_test");
  pathDirectory = await newDirectory("path");
  const sshd = await startSshd({
    allowedKeys: [key],
    profile: `PATH=${pathDirectory}:/usr/bin:/bin; echo hello`,
  });
  ({ sshOptions } = await writeSshConfig({ hosts: { node2: sshd }, knownHosts: [sshd], keys: [key] }));
});
afterEach(closeAllHosts);

/** A directory with a program that says where it is and what it was given. */
async function installEcho(name: string, directory?: string): Promise<string> {
  const home = directory ?? (await newDirectory("bin"));
  await mkdir(home, { recursive: true });
  const script = `#!/bin/sh\necho "$0"\nprintf '<%s>' "$@"\nexit 25\n`;
  await writeFile(join(home, name), script, { mode: 0o755 });
  return home;
}

const connect = (program: Partial<RemoteProgram> = {}) =>
  connectRemoteNode(makeHosts(sshOptions).hosts, record, {
    programName: "tsrepmgr",
    repmgrBindir: "",
    pgBindir: "",
    ...program,
  });

describe("run", () => {
  it("takes the first program that exists of repmgr_bindir, pg_bindir and PATH", async () => {
    const [first, second] = [await installEcho("elsewhere"), await installEcho("elsewhere")];
    await installEcho("elsewhere", pathDirectory);
    const where = async (repmgrBindir: string, pgBindir: string) => {
      const node = await connect({ programName: "elsewhere", repmgrBindir, pgBindir });
      return (await node.run([])).stdout.split("\n")[0];
    };
    expect(await where(first, second)).toBe(join(first, "elsewhere"));
    expect(await where("/nowhere", `${second}/`)).toBe(join(second, "elsewhere"));
    expect(await where("", "")).toBe(join(pathDirectory, "elsewhere"));
  });

  it("hands every argument over as it is, behind the node's configuration file, and honours the exit code", async () => {
    const directory = await installEcho("tsrepmgr");
    const node = await connect({ repmgrBindir: directory, logLevel: "NOTICE" });
    const args = [
      "node",
      "rejoin",
      "-d",
      "host=n1 password='a b'\"$(id)`\\!",
      "*",
      "",
      "~",
      "two\nlines",
      "ü",
    ];
    const given = ["-f", record.configFile, "-L", "NOTICE", ...args];
    expect(await node.run(args)).toMatchObject({
      exitCode: 25,
      stdout: `${directory}/tsrepmgr\n${given.map((word) => `<${word}>`).join("")}`,
    });
  });

  it("names the places where the program is not", async () => {
    const node = await connect({ programName: "missing", repmgrBindir: "/opt/a", pgBindir: "/opt/b" });
    await expect(node.run(["node", "status"])).rejects.toMatchObject({
      exitCode: 1,
      message: '"missing" was not found on node "node2" (ID: 2)',
      detail:
        'looked on host "node2" in: /opt/a/missing (repmgr_bindir), /opt/b/missing (pg_bindir), ' +
        `${pathDirectory}:/usr/bin:/bin (PATH)`,
    });
  });

  it("turns another exit code than 0 into an error when asked to", async () => {
    const node = await connect({ repmgrBindir: await installEcho("tsrepmgr") });
    await expect(node.runOrFail(["standby", "follow", "-d", "password=secret"])).rejects.toMatchObject({
      message: '"standby follow -d password=*****" failed on node "node2" (ID: 2)',
      detail: expect.stringMatching(/^exit code 25: /),
    });
  });
});

describe("readVersion", () => {
  it.each(["tsrepmgr", "repmgr"])("knows our own program as %s", async (programName) => {
    const directory = await newDirectory("bin");
    await symlink(join(checkout, "bin/tsrepmgr.js"), join(directory, programName));
    const node = await connect({ programName, repmgrBindir: directory });
    expect(await node.readVersion()).toMatchObject({ product: "tsrepmgr", referenceVersion: "5.5.0" });
  });

  it("refuses what is no repmgr", async () => {
    const node = await connect({ repmgrBindir: await installEcho("tsrepmgr") });
    await expect(node.readVersion()).rejects.toMatchObject({
      message: '"--version" failed on node "node2" (ID: 2)',
    });
  });
});

describe("hasFile", () => {
  it("finds files with any name", async () => {
    const file = join(await newDirectory("files"), "it's a $file");
    await writeFile(file, "");
    const node = await connect();
    expect([await node.hasFile(file), await node.hasFile(`${file}.no`)]).toEqual([true, false]);
  });
});
