import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { createKey, startSshd, type TestSshd, writeSshConfig } from "../../harness/sshd.js";
import { newDirectory } from "../../harness/test-run.js";
import { closeAllHosts, makeHosts } from "./make-hosts.js";

let key: string;
let sshd: TestSshd;

beforeAll(async () => {
  key = await createKey(await newDirectory("keys"), "id_test");
  sshd = await startSshd({ allowedKeys: [key] });
});
afterEach(closeAllHosts);

const configure = async (settings: readonly string[] = []) =>
  writeSshConfig({ hosts: { node2: sshd }, knownHosts: [sshd], keys: [key], settings });

describe.each([
  { transport: "ssh2", settings: [] },
  { transport: "openssh", settings: ["SetEnv TEST=1"] },
])("a shell through $transport", ({ transport, settings }) => {
  const connect = async () => {
    const { sshOptions } = await configure(settings);
    return makeHosts(sshOptions).hosts.connect("node2");
  };

  it("tells both outputs and the exit code apart", async () => {
    const shell = await connect();
    expect(shell.transport).toBe(transport);
    expect(await shell.run("echo out; echo err >&2; exit 3")).toEqual({
      exitCode: 3,
      signal: null,
      stdout: "out\n",
      stderr: "err\n",
      timedOut: false,
    });
  });
});
