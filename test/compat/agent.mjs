// Runs inside a container: one JSON request a line on standard input, one JSON answer a line on standard output.
// `docker exec` costs 100 ms a command; this costs what the command costs.
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";

function findAccount(user) {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${user}:`));
  const [, , uid, gid, , home] = line.split(":");
  return { uid: Number(uid), gid: Number(gid), home };
}

/** Output goes to files: a server that a command leaves behind may hold a pipe open for ever. */
function run({ id, line, user, path, timeoutMs }) {
  const { uid, gid, home } = findAccount(user);
  const directory = mkdtempSync("/tmp/agent-");
  const [stdout, stderr] = ["stdout", "stderr"].map((name) => openSync(`${directory}/${name}`, "w"));
  const child = spawn("/bin/bash", ["-c", line], {
    cwd: home,
    env: { PATH: path, HOME: home, USER: user, LC_ALL: "C.UTF-8", TZ: "UTC" },
    stdio: ["ignore", stdout, stderr],
    detached: true,
    uid,
    gid,
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    process.kill(-child.pid, "SIGKILL");
  }, timeoutMs);
  child.on("exit", (exitCode) => {
    clearTimeout(timer);
    for (const descriptor of [stdout, stderr]) closeSync(descriptor);
    const [out, err] = ["stdout", "stderr"].map((name) => readFileSync(`${directory}/${name}`, "utf8"));
    rmSync(directory, { recursive: true });
    process.stdout.write(`${JSON.stringify({ id, exitCode, stdout: out, stderr: err, timedOut })}\n`);
  });
}

createInterface({ input: process.stdin }).on("line", (line) => run(JSON.parse(line)));
