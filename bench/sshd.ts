import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { findFreePort } from "./free-port.js";
import { runProgram } from "./run-program.js";

/** An sshd of this user: how programs reach this host through it, or why there is none. */
export type Sshd =
  | { readonly kind: "running"; readonly sshOptions: string }
  | { readonly kind: "missing"; readonly reason: string };

const SSHD = "/usr/sbin/sshd";
const CONNECT_ATTEMPTS = 50;

/** Starts sshd on a free port of loopback, with keys made for this run; it ends with this process. */
export async function startSshd(folder: string): Promise<Sshd> {
  const { username, shell } = userInfo();
  const missing = [SSHD, "/usr/bin/ssh"].find((path) => !existsSync(path));
  if (missing !== undefined) return { kind: "missing", reason: `there is no ${missing}` };
  if (/\/(?:nologin|false)$/.test(shell ?? "")) {
    return { kind: "missing", reason: `the user ${username} has no shell to log in with` };
  }
  const port = await findFreePort();
  const file = (name: string): string => join(folder, `ssh-${name}`);
  for (const name of ["host", "user"]) {
    await runProgram({ path: "ssh-keygen", args: ["-q", "-t", "ed25519", "-N", "", "-f", file(name)] });
  }
  const hostKey = readFileSync(`${file("host")}.pub`, "utf8");
  writeFileSync(file("known-hosts"), `[127.0.0.1]:${port} ${hostKey}`);
  writeFileSync(file("sshd-config"), serverLines(port, file).join("\n"));
  writeFileSync(file("config"), clientLines(port, file).join("\n"));
  const child = spawn(SSHD, ["-D", "-f", file("sshd-config"), "-E", file("log")], { stdio: "ignore" });
  // It must not keep this process from ending.
  child.unref();
  process.on("exit", () => child.kill());
  await waitForLogin(file);
  return { kind: "running", sshOptions: `-F ${file("config")}` };
}

type FileNames = (name: string) => string;

/** What a login lacks is given to it: the way to our program and to the password. */
const serverLines = (port: number, file: FileNames): readonly string[] => [
  `ListenAddress 127.0.0.1:${port}`,
  `HostKey ${file("host")}`,
  `AuthorizedKeysFile ${file("user")}.pub`,
  "StrictModes no",
  "UsePAM no",
  "PidFile none",
  `SetEnv PATH="${file("").replace(/ssh-$/, "bin")}:${process.env.PATH ?? ""}" PGPASSFILE="${process.env.PGPASSFILE ?? ""}"`,
  "",
];

const clientLines = (port: number, file: FileNames): readonly string[] => [
  `Port ${port}`,
  `IdentityFile ${file("user")}`,
  "IdentitiesOnly yes",
  "IdentityAgent none",
  `UserKnownHostsFile ${file("known-hosts")}`,
  "",
];

async function waitForLogin(file: FileNames): Promise<void> {
  const login = { path: "ssh", args: ["-F", file("config"), "127.0.0.1", "true"] };
  for (let attempt = 1; ; attempt++) {
    try {
      await runProgram(login);
      return;
    } catch (error) {
      if (attempt === CONNECT_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
