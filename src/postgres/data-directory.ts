import { join } from "node:path";
import type { DataDirectoryState } from "../model/data-directory-state.js";
import {
  changeDirectoryMode,
  changeMode,
  findDirectoriesBelow,
  findExistingAncestor,
  inspectPath,
  isWritableDirectory,
  readFileIfThere,
} from "../system/directories.js";
import { currentUserId, findProcess } from "../system/process-table.js";

/** Looks, changes nothing. */
export async function readDataDirectoryState(path: string): Promise<DataDirectoryState> {
  const facts = await inspectPath(path);
  if (facts.kind === "absent") {
    const ancestor = await findExistingAncestor(path);
    return { kind: "absent", ancestor, isAncestorWritable: await isWritableDirectory(ancestor) };
  }
  if (facts.kind !== "directory") return facts;
  return {
    kind: "directory",
    realPath: facts.realPath,
    entries: facts.entries,
    isDataDirectory: facts.entries.includes("PG_VERSION"),
    isWritable: await isWritableDirectory(path),
    isOwn: facts.ownerId === (currentUserId() ?? facts.ownerId),
    serverPid: await findServerPid(facts.realPath),
  };
}

/**
 * The postmaster that holds the directory. A process of the number in postmaster.pid counts unless it is proven to be
 * another one: a number is used again after a crash, but deleting the data of a running server cannot be undone.
 */
async function findServerPid(dataDirectory: string): Promise<number | "unknown" | null> {
  let text: string | null;
  try {
    text = await readFileIfThere(join(dataDirectory, "postmaster.pid"), "utf8");
  } catch {
    return "unknown";
  }
  if (text === null) return null;
  // A server in single-user mode writes its number with a minus sign.
  const pid = Math.abs(Number.parseInt(text, 10));
  if (!Number.isSafeInteger(pid) || pid === 0) return "unknown";
  const found = await findProcess(pid);
  if (found === null) return null;
  const [program] = found.commandLine ?? [];
  const isOtherProgram = program !== undefined && !/postgres|postmaster/.test(program);
  const isOtherServer = found.workingDirectory !== null && found.workingDirectory !== dataDirectory;
  return isOtherProgram || isOtherServer ? null : pid;
}

/** Deep enough for the layouts of distributions, /var/lib/postgresql/15/main, with a level to spare. */
const LAYOUT_LEVELS = 4;

/** The data directories that lie below a directory that is none itself, such as the home of all clusters of a host. */
export function findDataDirectoriesBelow(path: string): Promise<readonly string[]> {
  return findDirectoriesBelow(
    path,
    LAYOUT_LEVELS,
    (entries) => entries.includes("PG_VERSION") && entries.includes("global"),
  );
}

/** The mode of files in a data directory: 0640 where the group may read it (`initdb --allow-group-access`). */
export async function fileModeFor(dataDirectory: string): Promise<number> {
  const facts = await inspectPath(dataDirectory);
  return facts.kind === "directory" && (facts.mode & 0o040) !== 0 ? 0o640 : 0o600;
}

/** Makes the directory one that PostgreSQL accepts: 0700, or 0750 if it was that. */
export async function secureDataDirectory(path: string): Promise<void> {
  const facts = await inspectPath(path);
  if (facts.kind !== "directory" || facts.mode === 0o700 || facts.mode === 0o750) return;
  await changeMode(path, 0o700);
}

/** Execution for others: it gives nobody a file to read, and every postgres refuses a directory that has it. */
const BAR = 0o001;

/**
 * From here on no server starts on the directory, by whatever command, until it is unbarred: neither SIGKILL nor a power
 * failure takes the bar away, and no file in the directory could say so, because pg_rewind replaces them all.
 */
export async function barDataDirectory(path: string): Promise<void> {
  const facts = await inspectPath(path);
  if (facts.kind === "directory") await changeDirectoryMode(path, facts.mode | BAR);
}

export async function isDataDirectoryBarred(path: string): Promise<boolean> {
  const facts = await inspectPath(path);
  return facts.kind === "directory" && (facts.mode & BAR) !== 0;
}

export async function unbarDataDirectory(path: string): Promise<void> {
  const facts = await inspectPath(path);
  if (facts.kind === "directory" && (facts.mode & BAR) !== 0) {
    await changeDirectoryMode(path, facts.mode & ~BAR);
  }
}
