import { constants } from "node:fs";
import {
  access,
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  statfs,
  unlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

interface DirectoryFacts {
  readonly kind: "directory";
  readonly realPath: string;
  readonly entries: readonly string[];
  /** Permission bits, 0o700. */
  readonly mode: number;
  readonly ownerId: number;
  /** Tells a directory from a later one at the same place. */
  readonly identity: string;
}

/** What lies at a path. A symbolic link is followed; one that leads nowhere is `dangling-link`. */
export type PathFacts =
  | DirectoryFacts
  | { readonly kind: "absent" }
  | { readonly kind: "dangling-link" }
  | { readonly kind: "not-a-directory" }
  | { readonly kind: "unreadable"; readonly reason: string };

export async function inspectPath(path: string): Promise<PathFacts> {
  try {
    const facts = await stat(path);
    if (!facts.isDirectory()) return { kind: "not-a-directory" };
    return {
      kind: "directory",
      realPath: await realpath(path),
      entries: await readdir(path),
      mode: facts.mode & 0o7777,
      ownerId: facts.uid,
      identity: `${facts.dev}:${facts.ino}`,
    };
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") return (await isLink(path)) ? { kind: "dangling-link" } : { kind: "absent" };
    if (code === "ENOTDIR") return { kind: "not-a-directory" };
    return { kind: "unreadable", reason: describeFailure(error) };
  }
}

/** The path without symbolic links; what is not there yet is taken as it is written. */
export async function resolvePath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    if (parent === path || systemCode(error) !== "ENOENT") return path;
    return join(await resolvePath(parent), basename(path));
  }
}

/** Names of the regular files in a directory; null when it cannot be read. */
export async function listRegularFiles(path: string): Promise<readonly string[] | null> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  } catch (error) {
    if (systemCode(error) === null) throw error;
    return null;
  }
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (facts) => facts.isSymbolicLink(),
    () => false,
  );
}

/**
 * The directories below `path`, at most `levels` down, whose entries are `wanted`; a found one is not searched further.
 * Symbolic links are not followed, what may not be read is passed over.
 */
export async function findDirectoriesBelow(
  path: string,
  levels: number,
  wanted: (entries: readonly string[]) => boolean,
): Promise<readonly string[]> {
  const found: string[] = [];
  const children = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const child of children.filter((entry) => entry.isDirectory())) {
    const childPath = join(path, child.name);
    if (wanted(await readdir(childPath).catch(() => []))) found.push(childPath);
    else if (levels > 1) found.push(...(await findDirectoriesBelow(childPath, levels - 1, wanted)));
  }
  return found;
}

/** The first directory above `path` that is there: what will hold a path that is made with its parents. */
export async function findExistingAncestor(path: string): Promise<string> {
  const parent = dirname(path);
  const facts = await inspectPath(parent);
  return facts.kind === "absent" && parent !== path ? findExistingAncestor(parent) : parent;
}

export async function isWritableDirectory(path: string): Promise<boolean> {
  return access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Whether we may write to a file; null when it is not there. */
export async function isWritableFile(path: string): Promise<boolean | null> {
  return access(path, constants.W_OK).then(
    () => true,
    (error: unknown) => (systemCode(error) === "ENOENT" ? null : false),
  );
}

/** Free bytes for us on the file system of an existing path; null where the system does not tell. */
export async function readFreeBytes(path: string): Promise<number | null> {
  return statfs(path).then(
    (facts) => facts.bavail * facts.bsize,
    () => null,
  );
}

/** The file system of an existing path; null where the system does not tell. */
export async function readDiskSpace(
  path: string,
): Promise<{ readonly freeBytes: number; readonly totalBytes: number } | null> {
  return statfs(path).then(
    (facts) => ({ freeBytes: facts.bavail * facts.bsize, totalBytes: facts.blocks * facts.bsize }),
    () => null,
  );
}

/** Makes the directory and its parents. */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  await chmod(path, mode);
}

/** Makes the directory, for this user only, where it is not there. */
export async function ensureDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

export async function changeMode(path: string, mode: number): Promise<void> {
  await chmod(path, mode);
}

/** On disk when it returns. */
export async function changeDirectoryMode(path: string, mode: number): Promise<void> {
  await chmod(path, mode);
  await flushDirectory(path);
}

/** A new directory for this user only, under TMPDIR. */
export async function makeTemporaryDirectory(prefix: string): Promise<string> {
  return mkdtemp(join(tmpdir(), prefix));
}

/** Removes everything in the directory; the directory stays, since it may be a mount point or the target of a link. */
export async function emptyDirectory(path: string): Promise<void> {
  for (const entry of await readdir(path)) await rm(join(path, entry), { recursive: true, force: true });
}

/** Removes the directory if nothing is in it; it stays when something is, or when it may not be removed. */
export async function removeEmptyDirectory(path: string): Promise<void> {
  await rmdir(path).catch(() => undefined);
}

/** Null when there is no such file; throws the file system's error otherwise. */
export async function readFileIfThere(path: string, encoding: "utf8" | "latin1"): Promise<string | null> {
  try {
    return await readFile(path, encoding);
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return null;
    throw error;
  }
}

/** Null when there are not so many bytes there, or they cannot be read. */
export async function readFilePiece(path: string, offset: number, length: number): Promise<Buffer | null> {
  try {
    const file = await open(path, constants.O_RDONLY);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
      return bytesRead === length ? buffer : null;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemCode(error) !== null) return null;
    throw error;
  }
}

/** Writes over what is there and flushes it. Throws the file system's error. */
export async function overwriteFilePiece(path: string, offset: number, content: Uint8Array): Promise<void> {
  const file = await open(path, constants.O_WRONLY);
  try {
    await file.write(content, 0, content.length, offset);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** Puts a file in place in one step, safe against a crash: written beside it, flushed, renamed, directory flushed. */
export async function replaceFile(path: string, content: Uint8Array, mode: number): Promise<void> {
  const temporary = `${path}.tmp`;
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx", mode);
  try {
    await file.chmod(mode);
    await file.writeFile(content);
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await flushDirectory(dirname(path));
}

/** As `replaceFile`, for what needs not survive a crash of the system. */
export async function replaceFileUnflushed(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text, { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

/** Makes renames in the directory survive a crash. */
export async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The system's code (`ENOENT`) of a file error; null for any other error. */
export function systemCode(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

/** A file error in the system's words: Node writes `EACCES: permission denied, mkdir '/x'`. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const words = /^[A-Z0-9]+: ([^,]+), \w+(?: '([^']*)')?/.exec(error.message);
  if (words === null) return error.message;
  return words[2] === undefined ? `${words[1]}` : `"${words[2]}": ${words[1]}`;
}
