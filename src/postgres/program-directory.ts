import { join } from "node:path";
import { inspectPath, readFileIfThere } from "../system/directories.js";

export interface ProgramSearch {
  /** "pg_bindir" of repmgr.conf; empty when it is not set. */
  readonly configured: string;
  readonly dataDirectory: string;
  readonly searchPath: string;
}

/** Where packages of a major version lie: Debian's, Red Hat's. */
const packagedDirectories = (major: string): readonly string[] => [
  `/usr/lib/postgresql/${major}/bin`,
  `/usr/pgsql-${major}/bin`,
];

/**
 * The directory of pg_controldata and the other programs that work on a data directory; empty when they are in the PATH
 * or nowhere. Packages keep them out of the PATH, and the reference does without pg_controldata.
 */
export async function findProgramDirectory(search: ProgramSearch): Promise<string> {
  const { configured, dataDirectory, searchPath } = search;
  if (configured !== "") return configured.replace(/\/+$/, "");
  if ((await findFirst(searchPath.split(":"))) !== null) return "";
  const major = (await readFileIfThere(join(dataDirectory, "PG_VERSION"), "utf8"))?.trim() ?? "";
  return (major === "" ? null : await findFirst(packagedDirectories(major))) ?? "";
}

async function findFirst(directories: readonly string[]): Promise<string | null> {
  for (const directory of directories) {
    if ((await inspectPath(join(directory, "pg_controldata"))).kind === "not-a-directory") return directory;
  }
  return null;
}
