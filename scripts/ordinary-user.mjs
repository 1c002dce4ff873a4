// PostgreSQL and tsrepmgr refuse to run as root, so root hands over to an ordinary user.
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { atEnd, Failure } from "./run.mjs";

export const isRoot = process.getuid() === 0;

/** Whom the work is done as: ourselves, or `postgres` or `nobody` when we are root. */
export function chooseOrdinaryUser() {
  if (!isRoot) return { name: userInfo().username, credentials: {} };
  for (const name of ["postgres", "nobody"]) {
    try {
      const [uid, gid] = ["-u", "-g"].map((flag) =>
        Number(execFileSync("id", [flag, name], { stdio: "pipe" })),
      );
      return { name, credentials: { uid, gid } };
    } catch {
      // no such user here
    }
  }
  throw new Failure(
    "neither the user postgres nor the user nobody exists to run servers as; run this as an ordinary user",
  );
}

export function giveTo(user, path) {
  const { uid, gid } = user.credentials;
  if (uid === undefined) return;
  const giveTree = (file) => {
    const status = lstatSync(file);
    if (status.isSymbolicLink()) return;
    chownSync(file, uid, gid);
    if (status.isDirectory()) for (const name of readdirSync(file)) giveTree(join(file, name));
  };
  giveTree(path);
}

/** A new folder of mode 0700 that belongs to the user, with a home in it; removed at the end unless it is kept. */
export function makeFolder(user, purpose) {
  // Root's own TMPDIR may lie where nobody else can go.
  const path = mkdtempSync(join(isRoot ? "/tmp" : tmpdir(), `tsrepmgr-${purpose}-`));
  const folder = { path, isKept: false };
  atEnd(() => folder.isKept || rmSync(path, { recursive: true, force: true }));
  for (const name of ["home", "tmp"]) mkdirSync(join(path, name));
  giveTo(user, path);
  return folder;
}

/** The environment for programs of that user: nothing of root's home or directory and no PG* of the caller's shell. */
export function environmentFor(user, folder, nodeDirectory) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(PG|XDG_|SUDO_|npm_|(MAIL|PWD|OLDPWD|INIT_CWD)$)/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    PATH: [nodeDirectory, process.env.PATH].join(":"),
    HOME: join(folder, "home"),
    TMPDIR: join(folder, "tmp"),
    USER: user.name,
    LOGNAME: user.name,
  };
}

/** The Node that the user can run: ours, or a copy in the folder when ours lies in a closed directory. */
export function nodeFor(user, folder) {
  const probe = spawnSync(process.execPath, ["-e", "0"], { ...user.credentials, cwd: "/", env: {} });
  if (probe.status === 0) return process.execPath;
  const copy = join(folder, "node", "node");
  mkdirSync(dirname(copy));
  copyFileSync(process.execPath, copy);
  chmodSync(copy, 0o755);
  giveTo(user, dirname(copy));
  return copy;
}
