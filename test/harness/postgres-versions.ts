import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface PostgresVersion {
  /** 15, 17 … */
  readonly major: number;
  readonly binDirectory: string;
}

const DEBIAN_ROOT = "/usr/lib/postgresql";

/** The servers installed here, newest first. */
export function findPostgresVersions(): readonly PostgresVersion[] {
  const debian = existsSync(DEBIAN_ROOT)
    ? readdirSync(DEBIAN_ROOT).map((name) => ({
        major: Number(name),
        binDirectory: join(DEBIAN_ROOT, name, "bin"),
      }))
    : [];
  const found = debian.filter(
    ({ major, binDirectory }) => Number.isInteger(major) && existsSync(join(binDirectory, "initdb")),
  );
  if (found.length > 0) return found.sort((a, b) => b.major - a.major);
  const inPath = (process.env["PATH"] ?? "")
    .split(delimiter)
    .find((directory) => existsSync(join(directory, "initdb")));
  return inPath === undefined ? [] : [{ major: askMajor(inPath), binDirectory: inPath }];
}

/** The wanted major version, or the one of TEST_PG_VERSION, or the newest. */
export function choosePostgres(wanted?: number): PostgresVersion {
  const versions = findPostgresVersions();
  const major = wanted ?? (Number(process.env["TEST_PG_VERSION"] ?? "") || versions[0]?.major);
  const chosen = versions.find((version) => version.major === major);
  if (chosen === undefined) throw new Error(`PostgreSQL ${String(major ?? "")} is not installed here`);
  return chosen;
}

function askMajor(binDirectory: string): number {
  const text = execFileSync(join(binDirectory, "postgres"), ["--version"], { encoding: "utf8" });
  return Number(/\d+/.exec(text)?.[0] ?? "0");
}
