import { once } from "node:events";
import { appendFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { SshError } from "../../../src/remote/ssh-error.js";
import { runCommand } from "../../harness/run-command.js";
import { freePort } from "../../harness/free-port.js";
import {
  createKey,
  type SshConfig,
  type SshConfigOptions,
  startAgent,
  startSshd,
  type TestSshd,
  writeSshConfig,
} from "../../harness/sshd.js";
import { newDirectory } from "../../harness/test-run.js";
import { closeAllHosts, makeHosts } from "./make-hosts.js";

let keys: string;
let key: string;
let sshd: TestSshd;

beforeAll(async () => {
  keys = await newDirectory("keys");
  key = await createKey(keys, "id_test");
  sshd = await startSshd({ allowedKeys: [key] });
});
afterEach(closeAllHosts);

const configure = (options: Partial<SshConfigOptions> = {}): Promise<SshConfig> =>
  writeSshConfig({ hosts: { node2: sshd }, knownHosts: [sshd], keys: [key], ...options });

/** How the connection came about and what was said, or why it did not. */
async function attempt(config: Pick<SshConfig, "sshOptions">, remoteUser?: string) {
  const { hosts, told, warned } = makeHosts(
    config.sshOptions,
    remoteUser === undefined ? {} : { remoteUser },
  );
  const start = performance.now();
  const outcome = await hosts.connect("node2").then(
    async (shell) => ({ transport: shell.transport, stdout: (await shell.run("echo in")).stdout }),
    (error: unknown) => error as SshError,
  );
  return { outcome, told, warned, milliseconds: performance.now() - start };
}

const wentIn = (transport: string) => ({ transport, stdout: "in\n" });
const who = () => `user "${sshd.user}", host "node2" (127.0.0.1), port ${sshd.port}`;

describe("keys", () => {
  it.each(["ed25519", "ecdsa", "rsa"])("lets a key of type %s in", async (type) => {
    const other = await createKey(await newDirectory("keys"), `id_${type}`, { type });
    await sshd.allow(other);
    const { outcome } = await attempt(await configure({ keys: [other] }));
    expect(outcome).toEqual(wentIn("ssh2"));
  });

  it.each(["ed25519", "rsa"])("takes a key of type %s from the agent", async (type) => {
    const other = await createKey(await newDirectory("keys"), "of_agent", { type, passphrase: "secret" });
    await sshd.allow(other);
    const agent = await startAgent();
    await runCommand("sh", [
      "-c",
      `printf '#!/bin/sh\necho secret\n' > ${other}.ask; chmod 700 ${other}.ask`,
    ]);
    await agent.add(other, `${other}.ask`);
    const { outcome } = await attempt(await configure({ keys: [other], agent: agent.socket }));
    await agent.stop();
    expect(outcome).toEqual(wentIn("ssh2"));
  });

  it("names a key with a passphrase that no agent holds", async () => {
    const locked = await createKey(await newDirectory("keys"), "id_locked", { passphrase: "secret" });
    await sshd.allow(locked);
    const { outcome } = await attempt(await configure({ keys: [locked] }));
    expect(outcome).toMatchObject({
      kind: "authentication",
      exitCode: 12,
      message: `host "node2" does not let user "${sshd.user}" in over SSH`,
      detail: `no key to offer; not offered, because of a passphrase: ${locked}; ${who()}`,
      hint: `nobody can be asked for a passphrase; run: eval $(ssh-agent); ssh-add ${locked}`,
    });
  });

  it("names the key that the host refused", async () => {
    const wrong = await createKey(await newDirectory("keys"), "id_wrong");
    const { outcome } = await attempt(await configure({ keys: [wrong] }));
    expect(outcome).toMatchObject({
      kind: "authentication",
      detail: `refused keys: ${wrong}; ${who()}`,
      hint: `run: ssh-copy-id -i ${wrong} -p ${sshd.port} ${sshd.user}@node2`,
    });
  });

  it.each([
    { what: "OpenSSH has other means left", settings: ["GSSAPIAuthentication yes"] },
    { what: "the host needs the system's ssh anyway", settings: ["SetEnv TEST=1"] },
  ])("names the key that the host refused when $what", async ({ settings }) => {
    const wrong = await createKey(await newDirectory("keys"), "id_wrong");
    const { outcome, told } = await attempt(await configure({ keys: [wrong], settings }));
    expect(told).toHaveLength(1);
    expect(outcome).toMatchObject({
      kind: "authentication",
      exitCode: 12,
      detail: `${sshd.user}@127.0.0.1: Permission denied (publickey).; refused keys: ${wrong}; ${who()}`,
    });
  });

  it("goes on to the next key when the host refuses one", async () => {
    const wrong = await createKey(await newDirectory("keys"), "id_wrong");
    const { outcome } = await attempt(await configure({ keys: [wrong, key] }));
    expect(outcome).toEqual(wentIn("ssh2"));
  });

  it("says where it looked when there is no key", async () => {
    const { outcome } = await attempt(await configure({ keys: ["/nowhere/id_rsa", "/nowhere/id_ed25519"] }));
    expect(outcome).toMatchObject({
      kind: "authentication",
      detail: `no key to offer; none of these exists: /nowhere/id_rsa, /nowhere/id_ed25519; ${who()}`,
      hint: `make a key with ssh-keygen -t ed25519 and allow it there with: ssh-copy-id -p ${sshd.port} ${sshd.user}@node2`,
    });
  });

  it("logs in as the user of -R", async () => {
    const { outcome } = await attempt(await configure(), "nobody_else");
    expect(outcome).toMatchObject({
      kind: "authentication",
      message: 'host "node2" does not let user "nobody_else" in over SSH',
    });
    expect(await sshd.log()).toMatch(/user nobody_else/);
  });

  it("leaves a certificate to the system's ssh", async () => {
    const directory = await newDirectory("keys");
    const [authority, certified] = [
      await createKey(directory, "ca"),
      await createKey(directory, "id_certified"),
    ];
    await runCommand("ssh-keygen", [
      "-q",
      "-s",
      authority,
      "-I",
      "test",
      "-n",
      sshd.user,
      `${certified}.pub`,
    ]);
    const server = await startSshd({ settings: [`TrustedUserCAKeys ${authority}.pub`] });
    const { outcome, told } = await attempt(
      await configure({ hosts: { node2: server }, knownHosts: [server], keys: [certified] }),
    );
    expect(outcome).toEqual(wentIn("openssh"));
    expect(told).toEqual([`using the system's ssh for host "node2" (${certified}: certificate)`]);
  });
});

describe("host keys", () => {
  it("refuses an unknown key and says how to make it known", async () => {
    const config = await configure({ knownHosts: [] });
    const { outcome } = await attempt(config);
    const fingerprint = /SHA256:\S+/.exec(await sshd.hostKeyFingerprint())?.[0] ?? "";
    expect(outcome).toMatchObject({
      kind: "host-key",
      exitCode: 12,
      message: 'the host key of "node2" is not known',
      detail: expect.stringContaining(
        `it shows ed25519 key ${fingerprint}; no such key of "[127.0.0.1]:${sshd.port}"`,
      ),
      hint: expect.stringContaining(
        `ssh-keyscan -p ${sshd.port} -t ed25519 127.0.0.1 >> ${config.knownHostsFile}`,
      ),
    });
    expect((outcome as SshError).detail).toContain(who());
    expect(await sshd.countLogins()).toBe(await countLoginsAfter(config, "ssh-keyscan"));
  });

  async function countLoginsAfter(config: SshConfig, tool: string): Promise<number> {
    const before = await sshd.countLogins();
    const scanned = await runCommand(tool, ["-p", String(sshd.port), "-t", "ed25519", "127.0.0.1"]);
    await appendFile(config.knownHostsFile, scanned);
    expect((await attempt(config)).outcome).toEqual(wentIn("ssh2"));
    return before;
  }

  it("refuses a changed key", async () => {
    const config = await configure({ knownHosts: [] });
    const other = await startSshd();
    await writeFile(config.knownHostsFile, `# a comment\n[127.0.0.1]:${sshd.port} ${other.hostKey}\n`);
    const { outcome } = await attempt(config);
    expect(outcome).toMatchObject({
      kind: "host-key",
      message: 'the host key of "node2" has changed',
      detail: expect.stringContaining(`which is not the one in ${config.knownHostsFile}, line 2`),
      hint: expect.stringContaining(`ssh-keygen -R '[127.0.0.1]:${sshd.port}' -f ${config.knownHostsFile}`),
    });
  });

  it("refuses a revoked key even with StrictHostKeyChecking=no", async () => {
    const config = await configure({ settings: ["StrictHostKeyChecking no"] });
    await appendFile(config.knownHostsFile, `@revoked [127.0.0.1]:${sshd.port} ${sshd.hostKey}\n`);
    expect((await attempt(config)).outcome).toMatchObject({
      kind: "host-key",
      message: 'the host key of "node2" is revoked',
    });
  });

  it("finds a hashed name", async () => {
    const config = await configure();
    await runCommand("ssh-keygen", ["-H", "-f", config.knownHostsFile]);
    await rm(`${config.knownHostsFile}.old`);
    expect((await attempt(config)).outcome).toEqual(wentIn("ssh2"));
  });

  it("takes a key under the name without a port", async () => {
    const config = await configure({ knownHosts: [] });
    await writeFile(config.knownHostsFile, `127.0.0.1 ${sshd.hostKey}\n`);
    expect((await attempt(config)).outcome).toEqual(wentIn("ssh2"));
  });

  it("asks for the type of key that is known", async () => {
    const rsa = await createKey(await newDirectory("keys"), "host_rsa", { type: "rsa" });
    const server = await startSshd({ allowedKeys: [key], settings: [`HostKey ${rsa}`] });
    const config = await configure({ hosts: { node2: server }, knownHosts: [] });
    const publicKey = await runCommand("cut", ["-d", " ", "-f", "1,2", `${rsa}.pub`]);
    await writeFile(config.knownHostsFile, `[127.0.0.1]:${server.port} ${publicKey}`);
    expect((await attempt(config)).outcome).toEqual(wentIn("ssh2"));
  });

  it.each(["no", "accept-new"])(
    "lets OpenSSH record a new key with StrictHostKeyChecking=%s, once",
    async (value) => {
      const config = await configure({ knownHosts: [], settings: [`StrictHostKeyChecking ${value}`] });
      const first = await attempt(config);
      expect(first.outcome).toEqual(wentIn("openssh"));
      expect(first.told.join()).toContain("it records the new host key");
      expect((await attempt(config)).outcome).toEqual(wentIn("ssh2"));
    },
  );

  it("goes on with a changed key under StrictHostKeyChecking=no, with a warning", async () => {
    const other = await startSshd();
    const config = await configure({ knownHosts: [], settings: ["StrictHostKeyChecking no"] });
    await writeFile(config.knownHostsFile, `[127.0.0.1]:${sshd.port} ${other.hostKey}\n`);
    const { outcome, warned } = await attempt(config);
    expect(outcome).toEqual(wentIn("ssh2"));
    expect(warned.join()).toContain(
      `the host key of "node2" differs from the one in ${config.knownHostsFile}`,
    );
  });

  it("refuses a changed key with StrictHostKeyChecking=accept-new", async () => {
    const other = await startSshd();
    const config = await configure({ knownHosts: [], settings: ["StrictHostKeyChecking accept-new"] });
    await writeFile(config.knownHostsFile, `[127.0.0.1]:${sshd.port} ${other.hostKey}\n`);
    expect((await attempt(config)).outcome).toMatchObject({ kind: "host-key" });
  });
});

describe("ways to the host", () => {
  it("goes through a jump host", async () => {
    const jump = await startSshd({ allowedKeys: [key] });
    const config = await configure({ hosts: { node2: sshd, jump }, knownHosts: [sshd, jump] });
    await appendFile(config.file, `Host node2\n  ProxyJump jump\n`);
    const { outcome, told } = await attempt(config);
    expect(outcome).toEqual(wentIn("openssh"));
    expect(told).toEqual([`using the system's ssh for host "node2" (ProxyJump)`]);
    expect(await jump.countLogins()).toBe(1);
  });

  it("says what the system's ssh said when the key of the host behind the jump host is unknown", async () => {
    const jump = await startSshd({ allowedKeys: [key] });
    const config = await configure({ hosts: { node2: sshd, jump }, knownHosts: [jump] });
    await appendFile(config.file, `Host node2\n  ProxyJump jump\n`);
    expect((await attempt(config)).outcome).toMatchObject({
      kind: "host-key",
      exitCode: 12,
      detail: expect.stringContaining("Host key verification failed"),
    });
  });

  it("leaves algorithms that ssh2 does not have to the system's ssh", async () => {
    const config = await configure({ settings: ["KexAlgorithms sntrup761x25519-sha512@openssh.com"] });
    expect((await attempt(config)).outcome).toEqual(wentIn("openssh"));
  });

  it.each([
    { address: "127.0.0.1", transport: "ssh2", settings: [] },
    { address: "localhost", transport: "ssh2", settings: [] },
    { address: "localhost", transport: "openssh", settings: ["SetEnv TEST=1"] },
  ])("says that nobody listens at $address through $transport", async ({ address, settings }) => {
    const port = await freePort();
    const config = await configure({ hosts: { node2: { address, port } }, settings });
    expect((await attempt(config)).outcome).toMatchObject({
      kind: "unreachable",
      exitCode: 12,
      message: 'unable to reach host "node2" over SSH',
      detail: expect.stringMatching(/Connection refused(\r)?; user/),
      hint: expect.stringContaining(`try: ssh -p ${port} ${sshd.user}@node2 true`),
    });
  });

  it("says that a name leads nowhere", async () => {
    const config = await configure({ hosts: { node2: { address: "nowhere.invalid", port: 22 } } });
    expect((await attempt(config)).outcome).toMatchObject({
      kind: "unreachable",
      detail: expect.stringContaining("nowhere.invalid"),
    });
  });

  it.each([
    { transport: "ssh2", settings: [] },
    { transport: "openssh", settings: ["SetEnv TEST=1"] },
  ])(
    "does not wait for a silent host longer than ConnectTimeout through $transport",
    async ({ settings }) => {
      const silent = createServer().listen(0, "127.0.0.1");
      await once(silent, "listening");
      const { port } = silent.address() as { port: number };
      const config = await configure({
        hosts: { node2: { address: "127.0.0.1", port } },
        settings: ["ConnectTimeout 1", ...settings],
      });
      const { outcome, milliseconds } = await attempt(config);
      silent.close();
      expect(outcome).toMatchObject({
        exitCode: 12,
        detail: expect.stringMatching(new RegExp(`(timed out|no session within 1 s).*port ${port}`)),
      });
      expect(milliseconds).toBeLessThan(2000);
    },
  );

  it("says what OpenSSH does not like in ssh_options", async () => {
    const { outcome } = await attempt({ sshOptions: "-o Nonsense=1" });
    expect(outcome).toMatchObject({
      kind: "configuration",
      exitCode: 12,
      detail: expect.stringContaining("Bad configuration option: nonsense"),
    });
  });

  it("needs the client of OpenSSH", async () => {
    const path = process.env["PATH"];
    process.env["PATH"] = "/nowhere";
    const { outcome } = await attempt(await configure()).finally(() => (process.env["PATH"] = path));
    expect(outcome).toMatchObject({ kind: "configuration", message: 'unable to run "ssh"' });
  });
});
