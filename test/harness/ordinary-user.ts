import { readFileSync } from "node:fs";

export interface OrdinaryUser {
  readonly uid: number;
  readonly gid: number;
}

/** The user for tests that were started by root: `postgres`, else `nobody`; null when we are not root. */
export function ordinaryUser(): OrdinaryUser | null {
  if (process.getuid?.() !== 0) return null;
  const accounts = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const account =
    accounts.find(([name]) => name === "postgres") ?? accounts.find(([name]) => name === "nobody");
  if (account === undefined)
    throw new Error("tests do not run as root, and there is no user postgres or nobody");
  return { uid: Number(account[2]), gid: Number(account[3]) };
}
