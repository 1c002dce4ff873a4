import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { createKey, startSshd, type TestSshd, writeSshConfig } from "../../harness/sshd.js";
import { newDirectory } from "../../harness/test-run.js";
import { waitUntil } from "../../harness/wait-until.js";
import { closeAllHosts, makeHosts } from "./make-hosts.js";

let key: string;
let sshd: TestSshd;

beforeAll(async () => {
  key = await createKey(await newDirectory("keys"), "id_test");
  sshd = await startSshd({ allowedKeys: [key] });
});
afterEach(closeAllHosts);

describe.each([
  { transport: "ssh2", settings: [] },
  // One of the settings that ssh2 does not honour.
  { transport: "openssh", settings: ["SetEnv TEST=1"] },
])("a shell through $transport", ({ transport, settings }) => {
  const configure = (server = sshd) =>
    writeSshConfig({ hosts: { node2: server }, knownHosts: [server], keys: [key], settings });
  const open = async (server = sshd) => makeHosts((await configure(server)).sshOptions);
  const connect = async (server = sshd) => (await open(server)).hosts.connect("node2");

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

  it("keeps the output free of a banner and of what start-up files print", async () => {
    const banner = join(await newDirectory("banner"), "banner");
    await writeFile(banner, "*** authorised use only ***\n");
    const chatty = await startSshd({
      allowedKeys: [key],
      settings: [`Banner ${banner}`],
      profile:
        'echo "Welcome to $HOSTNAME"; echo "mail: none" >&2; printf "no end of line"; printf "here neither" >&2',
    });
    const shell = await connect(chatty);
    expect(await shell.run("echo out; echo err >&2")).toMatchObject({ stdout: "out\n", stderr: "err\n" });
  });

  it("hands over standard input", async () => {
    const shell = await connect();
    const input = "0123456789abcdef\n".repeat(60_000);
    expect((await shell.run("cat", { input })).stdout === input).toBe(true);
    expect(await shell.run("cat")).toMatchObject({ exitCode: 0, stdout: "" });
  });

  it("takes large outputs whole", async () => {
    const shell = await connect();
    const { stdout, stderr } = await shell.run("seq 300000; seq 100000 >&2");
    expect([stdout.length, stderr.length]).toEqual([1988895, 588895]);
  });

  it("runs several commands at once on one login", async () => {
    const before = await sshd.countLogins();
    const { hosts } = await open();
    const outputs = await Promise.all(
      [1, 2, 3, 4, 5].map(async (number) => {
        const shell = await hosts.connect("node2");
        return shell.run(`sleep 0.2; echo ${number}`);
      }),
    );
    expect(outputs.map(({ stdout }) => stdout)).toEqual(["1\n", "2\n", "3\n", "4\n", "5\n"]);
    expect(await sshd.countLogins()).toBe(before + 1);
  });

  it("does not wait for the end of a command whose output is whole, where ssh2 carries it", async () => {
    const opened = await open();
    const shell = await opened.hosts.connect("node2");
    const mark = join(await newDirectory("mark"), "ended");
    const result = await shell.run(`echo whole; cat; echo >${mark}; exit 3`, {
      isWhole: (stdout) => stdout === "whole\n",
    });
    expect(result).toMatchObject({ stdout: "whole\n", exitCode: transport === "ssh2" ? null : 3 });
    expect(existsSync(mark)).toBe(transport === "openssh");
    await opened.close();
    await waitUntil("the command has seen the end of its input", async () => existsSync(mark));
  });

  it("gives a command up after its time, and goes on with the next", async () => {
    const shell = await connect();
    const result = await shell.run("echo begun; sleep 30", { timeoutMs: 300 });
    expect(result).toMatchObject({ timedOut: true, exitCode: null });
    expect(await shell.run("echo next")).toMatchObject({ stdout: "next\n" });
  });

  it("gives a command up when its signal is aborted", async () => {
    const shell = await connect();
    const controller = new AbortController();
    const running = shell.run("sleep 30", { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
  });

  it("says that the connection was lost when it breaks under a command", async () => {
    const server = await startSshd({ allowedKeys: [key] });
    const shell = await connect(server);
    const mark = join(await newDirectory("mark"), "begun");
    const running = shell.run(`touch ${mark}; sleep 30`).catch((error: unknown) => error);
    await waitUntil("the command runs", async () => (await shell.run(`test -f ${mark}`)).exitCode === 0);
    server.dropSessions();
    expect(await running).toMatchObject({
      kind: "lost",
      exitCode: 12,
      message: 'lost the SSH connection to host "node2"',
      detail: expect.stringContaining(`user "${server.user}", host "node2" (127.0.0.1), port ${server.port}`),
    });
    await expect(shell.run("true")).rejects.toMatchObject({ kind: "lost" });
  });

  it("says so when the account runs no command", async () => {
    const closed = await startSshd({ allowedKeys: [key], settings: ["ForceCommand echo not here"] });
    await expect((await connect(closed)).run("true")).rejects.toMatchObject({
      kind: "no-shell",
      exitCode: 12,
      detail: expect.stringContaining("not here"),
    });
  });

  it("leaves nothing behind when the command ends", async () => {
    const server = await startSshd({ allowedKeys: [key] });
    const opened = await open(server);
    await opened.hosts.connect("node2");
    expect(server.countSessions()).toBeGreaterThan(0);
    await opened.close();
    await waitUntil("the session is over", async () => server.countSessions() === 0);
  });

  it("reaches a host by IPv6", async () => {
    const server = await startSshd({ address: "::1", allowedKeys: [key] });
    const { sshOptions } = await configure(server);
    const shell = await makeHosts(`${sshOptions} -p ${server.port}`).hosts.connect("::1");
    expect(shell.transport).toBe(transport);
    expect(await shell.run("echo out")).toMatchObject({ stdout: "out\n" });
  });
});

describe("the end of our own process", () => {
  it("ends an attempt that is under way", async () => {
    const { sshOptions } = await writeSshConfig({ hosts: { node2: sshd }, knownHosts: [sshd], keys: [key] });
    const hosts = makeHosts(sshOptions);
    const connecting = hosts.hosts.connect("node2");
    hosts.interrupt();
    await expect(connecting).rejects.toThrow("interrupted");
  });
});
