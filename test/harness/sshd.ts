import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.js";
import { runCommand } from "./run-command.js";
import { signalIfThere } from "./signals.js";
import { newDirectory } from "./test-run.js";
import { waitUntil } from "./wait-until.js";

export interface TestSshdOptions {
  readonly address?: "127.0.0.1" | "::1";
  /** Keys that may log in, as files with a `.pub` beside them. */
  readonly allowedKeys?: readonly string[];
  /** Lines of sshd_config beyond the harness' own. */
  readonly settings?: readonly string[];
  /** A script that the login shell reads before each command, as its profile would be. */
  readonly profile?: string;
}

/** A real sshd of the user who runs the tests; it lets in only that user. */
export interface TestSshd {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Type and key, as they stand in a known_hosts file after the name. */
  readonly hostKey: string;
  /** As `ssh-keygen -l` shows it. */
  hostKeyFingerprint(): Promise<string>;
  allow(keyFile: string): Promise<void>;
  countSessions(): number;
  /** Ends every session, as a crash of the host would, and lets new ones in. */
  dropSessions(): void;
  /** Connections that were let in so far. */
  countLogins(): Promise<number>;
  log(): Promise<string>;
  stop(): Promise<void>;
}

const running = new Set<TestSshd>();

export async function startSshd(options: TestSshdOptions = {}): Promise<TestSshd> {
  const { address = "127.0.0.1", allowedKeys = [], settings = [], profile } = options;
  const directory = await newDirectory("sshd");
  const port = await freePort();
  const hostKeyFile = await createKey(directory, "host");
  const authorizedKeys = join(directory, "authorized_keys");
  const logFile = join(directory, "sshd.log");
  const configFile = join(directory, "sshd_config");
  const profileFile = join(directory, "profile");
  await writeFile(authorizedKeys, "", { mode: 0o600 });
  await writeFile(profileFile, `${profile ?? ""}\nexec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n`);
  const lines = [
    `ListenAddress ${address === "::1" ? "[::1]" : address}:${port}`,
    `HostKey ${hostKeyFile}`,
    `AuthorizedKeysFile ${authorizedKeys}`,
    ...["StrictModes no", "UsePAM no", "PidFile none", "PasswordAuthentication no", "LogLevel VERBOSE"],
    "KbdInteractiveAuthentication no",
    ...(profile === undefined ? [] : [`ForceCommand . ${profileFile}`]),
    ...settings,
    "",
  ];
  await writeFile(configFile, lines.join("\n"));
  if (!existsSync("/usr/sbin/sshd")) throw new Error("there is no /usr/sbin/sshd: install openssh-server");
  const child = spawn(
    "/usr/sbin/sshd",
    ["-D", "-f", configFile, "-E", logFile, ...(await extraArguments(configFile))],
    {
      stdio: "ignore",
    },
  );
  const log = (): Promise<string> => readFile(logFile, "utf8").catch(() => "");
  await waitUntil("sshd listens", async () => {
    if (child.exitCode !== null) throw new Error(`sshd did not start:\n${await log()}`);
    return accepts(address, port);
  });
  const sshd: TestSshd = {
    address,
    port,
    user: userInfo().username,
    hostKey: (await readFile(`${hostKeyFile}.pub`, "utf8")).split(" ").slice(0, 2).join(" "),
    hostKeyFingerprint: () => runCommand("ssh-keygen", ["-l", "-f", hostKeyFile]),
    countSessions: () => sessionsOf(child.pid ?? 0).length,
    allow: async (keyFile) => appendFile(authorizedKeys, await readFile(`${keyFile}.pub`, "utf8")),
    dropSessions: () => {
      for (const pid of sessionsOf(child.pid ?? 0)) signalIfThere(pid, "SIGKILL");
    },
    countLogins: async () => (await log()).match(/Accepted publickey/g)?.length ?? 0,
    log,
    stop: async () => {
      running.delete(sshd);
      sshd.dropSessions();
      await endProcess(child);
    },
  };
  running.add(sshd);
  for (const key of allowedKeys) await sshd.allow(key);
  return sshd;
}

/** Ends every sshd of this test file. */
export async function stopAllSshds(): Promise<void> {
  await Promise.all([...running].map((sshd) => sshd.stop()));
}

/** Newer releases shut out an address for a while after failed logins. */
async function extraArguments(configFile: string): Promise<readonly string[]> {
  const option = ["-o", "PerSourcePenalties=no"];
  return runCommand("/usr/sbin/sshd", ["-t", "-f", configFile, ...option]).then(
    () => option,
    () => [],
  );
}

async function accepts(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  return once(socket, "data")
    .then(() => true)
    .catch(() => false)
    .finally(() => socket.destroy());
}

/** The processes of sshd for its sessions: one or two for each, depending on the release. */
function sessionsOf(listener: number): readonly number[] {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const processes = all.flatMap((pid) => readProcess(pid) ?? []);
  const below = (parent: number): readonly number[] =>
    processes
      .filter((entry) => entry.parent === parent && entry.name.startsWith("sshd"))
      .flatMap(({ pid }) => [pid, ...below(pid)]);
  return below(listener);
}

function readProcess(pid: string) {
  try {
    const [, name = "", parent] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return { pid: Number(pid), name, parent: Number(parent) };
  } catch {
    return null; // It has ended.
  }
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

/** Makes a key pair; returns the path of the private key. */
export async function createKey(
  directory: string,
  name: string,
  { type = "ed25519", passphrase = "" }: { readonly type?: string; readonly passphrase?: string } = {},
): Promise<string> {
  const path = join(directory, name);
  await runCommand("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-C", name, "-f", path]);
  return path;
}

export interface SshConfigOptions {
  /** Names of hosts and where they are. */
  readonly hosts: Readonly<Record<string, Pick<TestSshd, "address" | "port">>>;
  /** The sshds whose keys are known under their address and port. */
  readonly knownHosts?: readonly TestSshd[];
  readonly keys?: readonly string[];
  /** Socket of an agent; none without. */
  readonly agent?: string;
  /** Lines for every host, before the others. */
  readonly settings?: readonly string[];
}

export interface SshConfig {
  readonly file: string;
  readonly knownHostsFile: string;
  /** For `ssh_options`: ssh looks for ~/.ssh in the password database, whatever HOME says, so it gets a file of its own. */
  readonly sshOptions: string;
}

/** A client's configuration that names everything, so that nothing of the developer's own is used. */
export async function writeSshConfig(options: SshConfigOptions): Promise<SshConfig> {
  const directory = await newDirectory("ssh");
  const file = join(directory, "config");
  const knownHostsFile = join(directory, "known_hosts");
  const lines = [
    ...(options.settings ?? []),
    ...["GlobalKnownHostsFile /dev/null", `UserKnownHostsFile ${knownHostsFile}`, "ConnectTimeout 5"],
    `IdentityAgent ${options.agent ?? "none"}`,
    ...(options.keys ?? ["none"]).map((path) => `IdentityFile ${path}`),
    ...Object.entries(options.hosts).flatMap(([name, { address, port }]) => [
      `Host ${name}`,
      `  HostName ${address}`,
      `  Port ${port}`,
    ]),
    "",
  ];
  await writeFile(file, lines.join("\n"));
  const known = (options.knownHosts ?? []).map(
    ({ address, port, hostKey }) => `[${address}]:${port} ${hostKey}\n`,
  );
  await writeFile(knownHostsFile, known.join(""));
  return { file, knownHostsFile, sshOptions: `-F ${file}` };
}

export interface TestAgent {
  readonly socket: string;
  /** `askPassphrase`: a program that prints the passphrase of the key. */
  add(keyFile: string, askPassphrase?: string): Promise<void>;
  stop(): Promise<void>;
}

/** An empty ssh-agent. */
export async function startAgent(): Promise<TestAgent> {
  const socket = join(await newDirectory("agent"), "s");
  const child = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  const list = (): Promise<string> => runCommand("ssh-add", ["-l"], { SSH_AUTH_SOCK: socket });
  await waitUntil("the agent answers", () =>
    list().then(
      () => true,
      (error: unknown) => error instanceof Error && "code" in error && error.code === 1,
    ),
  );
  return {
    socket,
    add: async (keyFile, askPassphrase = "/bin/false") => {
      const asking = { SSH_ASKPASS: askPassphrase, SSH_ASKPASS_REQUIRE: "force" };
      await runCommand("ssh-add", ["-q", keyFile], { SSH_AUTH_SOCK: socket, ...asking });
    },
    stop: () => endProcess(child),
  };
}
