import { constants } from "node:fs";
import { access, chmod, lstat, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { describeFailure, findExistingAncestor, flushDirectory, systemCode } from "./directories.js";

/** A file that lies beside its final place, complete and flushed. */
export interface StagedFile {
  readonly path: string;
  readonly temporaryPath: string;
}

const DIRECTORY_MODE = 0o755;

/** Why a file cannot be put at a path by writing it beside and renaming it; null when it can. */
export async function findObstacle(path: string): Promise<string | null> {
  try {
    const facts = await lstat(path).catch(ignoreAbsent);
    if (facts?.isDirectory() === true) return `"${path}" is a directory`;
    const directory = await findHolder(path);
    if (!(await stat(directory)).isDirectory()) return `"${directory}" is not a directory`;
    await access(directory, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    if (systemCode(error) === null) throw error;
    return describeFailure(error);
  }
}

/** The directory of the file, or the one in which that will be made. */
async function findHolder(path: string): Promise<string> {
  const isThere = (await stat(dirname(path)).catch(ignoreAbsent)) !== null;
  return isThere ? dirname(path) : findExistingAncestor(dirname(path));
}

/** Whether a regular file with this content and these permission bits lies there; null when nothing does. */
export async function hasFile(
  path: string,
  { content, mode }: { readonly content: Uint8Array; readonly mode: number },
): Promise<boolean | null> {
  const facts = await lstat(path).catch(ignoreAbsent);
  if (facts === null) return null;
  if (!facts.isFile() || (facts.mode & 0o7777) !== mode || facts.size !== content.length) return false;
  return readFile(path).then(
    (found) => found.equals(content),
    () => false,
  );
}

/** Writes a file beside its place, readable by us only, with the directories that lack. */
export async function stageFile(path: string, content: Uint8Array): Promise<StagedFile> {
  await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
  const temporaryPath = join(
    dirname(path),
    `.${basename(path)}.${randomBytes(4).toString("hex")}.tsrepmgr.tmp`,
  );
  const file = await open(temporaryPath, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return { path, temporaryPath };
}

/** Puts a staged file in its place, for good even after a crash. */
export async function placeStagedFile({ path, temporaryPath }: StagedFile, mode: number): Promise<void> {
  await chmod(temporaryPath, mode);
  await rename(temporaryPath, path);
  await flushDirectory(dirname(path));
}

/** Does nothing once the file has been placed. */
export async function discardStagedFile({ temporaryPath }: StagedFile): Promise<void> {
  await rm(temporaryPath, { force: true }).catch(() => undefined);
}

function ignoreAbsent(error: unknown): null {
  if (systemCode(error) === "ENOENT") return null;
  throw error;
}
