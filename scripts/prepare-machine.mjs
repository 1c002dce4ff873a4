// Makes a fresh clone on a bare Debian machine ready: npm packages, PostgreSQL (when root), the build.
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { atEnd, Failure, heading, run, runScript, throwIfInterrupted } from "./run.mjs";

export const checkout = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

const OLDEST_POSTGRES = 13;

/** Does everything that is missing and says so. Answers the directory of PostgreSQL's programs, null without. */
export async function prepareMachine({ needsPostgres = false, needsSshd = false } = {}) {
  requireNode();
  const release = await lockCheckout();
  try {
    await installNpmPackages();
    const binDirectory = needsPostgres ? await preparePostgres() : null;
    if (needsSshd) await prepareSshd();
    const exitCode = await run(process.execPath, ["scripts/build.mjs", "--if-changed"], { cwd: checkout });
    if (exitCode !== 0) throw new Failure("the build failed");
    return binDirectory;
  } finally {
    await release();
  }
}

function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Failure(
    `Node.js 20.19 or newer is needed, this is ${process.versions.node} (${process.execPath})`,
  );
}

/** Two scripts in one checkout prepare it one after the other. */
async function lockCheckout() {
  const lockFile = join(checkout, ".preparing.lock");
  for (let hasWaited = false; ; hasWaited = true) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: "wx" });
      return atEnd(() => rmSync(lockFile, { force: true }));
    } catch (error) {
      if (error.code !== "EEXIST") throw new Failure(`cannot write to the checkout: ${error.message}`);
    }
    throwIfInterrupted();
    const owner = readOwner(lockFile);
    if (owner !== null && !isAlive(owner)) rmSync(lockFile, { force: true });
    else if (!hasWaited) console.log(`waiting for process ${owner ?? "?"}, which prepares this checkout`);
    await sleep(200);
  }
}

function readOwner(lockFile) {
  try {
    return Number(readFileSync(lockFile, "utf8")) || null;
  } catch {
    return null;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

async function installNpmPackages() {
  const reason = whyPackagesAreMissing();
  if (reason === null) return;
  heading(`installing npm packages into node_modules/ (npm ci): ${reason}`);
  const npmCli = process.env.npm_execpath;
  const [program, first] = npmCli?.endsWith(".js") ? [process.execPath, [npmCli]] : ["npm", []];
  const exitCode = await run(program, [...first, "ci", "--no-audit", "--no-fund"], { cwd: checkout });
  if (exitCode !== 0) throw new Failure(`npm ci failed with exit code ${exitCode}`);
}

/** npm notes what it installed in node_modules/.package-lock.json; optional packages depend on the machine. */
function whyPackagesAreMissing() {
  const installedList = join(checkout, "node_modules/.package-lock.json");
  if (!existsSync(installedList)) return "they are missing";
  const [wanted, installed] = [join(checkout, "package-lock.json"), installedList].map(
    (file) => JSON.parse(readFileSync(file, "utf8")).packages,
  );
  const isCurrent = ([path, { version, optional }]) =>
    path === "" || optional || installed[path]?.version === version;
  return Object.entries(wanted).every(isCurrent) ? null : "they differ from package-lock.json";
}

/** PostgreSQL's programs of the newest version here, or null. */
export function findPostgres() {
  const root = "/usr/lib/postgresql";
  const debian = existsSync(root) ? readdirSync(root).filter((name) => Number(name) >= OLDEST_POSTGRES) : [];
  const directories = [
    ...debian.sort((a, b) => Number(b) - Number(a)).map((name) => join(root, name, "bin")),
    ...(process.env.PATH ?? "").split(delimiter),
  ];
  return directories.find((directory) => existsSync(join(directory, "initdb"))) ?? null;
}

async function preparePostgres() {
  const found = findPostgres();
  if (found !== null) return found;
  if (!existsSync("/usr/bin/apt-get")) {
    throw new Failure(
      `PostgreSQL ${OLDEST_POSTGRES} or newer is missing (initdb is neither in /usr/lib/postgresql nor on PATH)`,
    );
  }
  if (process.getuid() !== 0) {
    const name = newestPostgresPackage() ?? "postgresql";
    throw new Failure(
      `PostgreSQL is missing. Install it as root, then try again:\n\n  apt-get update && apt-get install -y ${name}\n`,
    );
  }
  const name = newestPostgresPackage() ?? (await aptGet("update"), newestPostgresPackage());
  if (name === null) throw new Failure("apt knows no PostgreSQL package; check /etc/apt/sources.list");
  await installDebianPackages([name]);
  const installed = findPostgres();
  if (installed === null) throw new Failure(`${name} is installed, but initdb is not in /usr/lib/postgresql`);
  return installed;
}

export const SSHD = "/usr/sbin/sshd";

/** Without it what needs other hosts is left out. */
async function prepareSshd() {
  if (existsSync(SSHD)) return;
  if (process.getuid() === 0 && existsSync("/usr/bin/apt-get"))
    await installDebianPackages(["openssh-server"]);
  else console.log(`${SSHD} is missing; as root: apt-get install openssh-server`);
}

function newestPostgresPackage() {
  const { stdout } = spawnSync("apt-cache", ["pkgnames", "postgresql-"], { encoding: "utf8" });
  const majors = [...(stdout ?? "").matchAll(/^postgresql-(\d+)$/gm)].map((match) => Number(match[1]));
  const newest = Math.max(...majors);
  return newest >= OLDEST_POSTGRES ? `postgresql-${newest}` : null;
}

async function aptGet(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const exitCode = await run("apt-get", ["-q", "-y", "-o", "DPkg::Lock::Timeout=300", ...args], { env });
  if (exitCode !== 0) throw new Failure(`apt-get ${args.join(" ")} failed with exit code ${exitCode}`);
}

/** Installs packages without creating a PostgreSQL cluster and without starting any service. */
export async function installDebianPackages(names) {
  heading(`installing Debian packages (no service is created or started): ${names.join(" ")}`);
  const restore = [
    placeTemporarily("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755),
    placeTemporarily(
      "/etc/postgresql-common/createcluster.d/tsrepmgr-tests.conf",
      "create_main_cluster = false\n",
      0o644,
    ),
  ];
  try {
    await aptGet("update");
    await aptGet("install", "--no-install-recommends", ...names);
  } finally {
    for (const undo of restore) await undo();
  }
}

/** Replaces a file until the end, in a directory that is made for it where it is missing. */
function placeTemporarily(path, text, mode) {
  const before = existsSync(path) ? { text: readFileSync(path), mode: statSync(path).mode & 0o7777 } : null;
  const isNewDirectory = mkdirSync(dirname(path), { recursive: true }) !== undefined;
  const undo = atEnd(() => {
    rmSync(path, { force: true });
    if (before !== null) writeFileSync(path, before.text, { mode: before.mode });
    else if (isNewDirectory && readdirSync(dirname(path)).length === 0) rmdirSync(dirname(path));
  });
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode });
  return undo;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runScript(async () => {
    console.log(`PostgreSQL: ${await prepareMachine({ needsPostgres: true })}`);
    return 0;
  });
}
