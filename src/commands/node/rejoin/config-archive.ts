import { dirname, isAbsolute, join, normalize, relative } from "node:path";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import type { RewindMarker } from "../../../postgres/rewind-marker.js";
import {
  describeFailure,
  inspectPath,
  makeDirectory,
  readFileIfThere,
  removeEmptyDirectory,
  removeFile,
  replaceFile,
  systemCode,
} from "../../../system/directories.js";
import { currentUserId } from "../../../system/process-table.js";
import type { CommandContext } from "../../define-command.js";

type Archive = NonNullable<RewindMarker["archive"]>;

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/** Which of the named files are there, as paths below the data directory; a WARNING for each that is not. */
export async function findConfigFiles(
  { reporter, settings }: Pick<CommandContext, "reporter" | "settings">,
  names: readonly string[],
): Promise<readonly string[]> {
  const root = settings.data_directory;
  const found: string[] = [];
  for (const name of names) {
    const path = normalize(isAbsolute(name) ? relative(root, name) : name);
    if (path === ".." || path.startsWith("../")) {
      reporter.warning(`specified file "${name}" lies outside the data directory, skipping`, {
        detail: "pg_rewind does not touch it",
      });
    } else if ((await read(join(root, path))) === null) {
      reporter.warning(`specified file "${join(root, path)}" not found, skipping`);
    } else {
      found.push(path);
    }
  }
  return found;
}

/** Copies the files aside, mode 0600. Throws UserError, with code 1 as the reference does. */
export async function archiveConfigFiles(
  { settings }: Pick<CommandContext, "settings">,
  archive: Archive,
): Promise<void> {
  await claimDirectory(archive.directory);
  await guard(`unable to copy configuration files to "${archive.directory}"`, async () => {
    for (const file of archive.files) {
      const to = join(archive.directory, file);
      await makeDirectory(dirname(to), DIRECTORY_MODE);
      await copy(join(settings.data_directory, file), to);
    }
  });
}

/** Puts the files back over what pg_rewind brought, and takes the copies away. */
export async function restoreConfigFiles(
  { settings, reporter }: Pick<CommandContext, "settings" | "reporter">,
  archive: Archive,
): Promise<void> {
  const root = settings.data_directory;
  const restored: string[] = [];
  await guard(`unable to copy configuration files back from "${archive.directory}"`, async () => {
    for (const file of archive.files) {
      if (await copy(join(archive.directory, file), join(root, file))) restored.push(file);
    }
  });
  reporter.notice(`${restored.length} files copied to ${root}`);
  const lost = archive.files.filter((file) => !restored.includes(file));
  if (lost.length === 0) return;
  reporter.warning("archived configuration files are gone; those of the rejoin target stay in their place", {
    detail: lost.map((file) => `"${join(archive.directory, file)}"`).join(", "),
  });
}

/** Once the files are back for good. */
export async function removeArchive(archive: Archive): Promise<void> {
  for (const file of archive.files) await removeFile(join(archive.directory, file));
  const directories = archive.files.map((file) => dirname(join(archive.directory, file)));
  for (const path of new Set([...directories, archive.directory])) await removeEmptyDirectory(path);
}

/** In a directory that everybody may write, such as /tmp, somebody else may have made it, or a link in its place. */
async function claimDirectory(path: string): Promise<void> {
  const parent = await inspectPath(dirname(path));
  const facts = await inspectPath(path);
  const refuse = (detail: string): UserError =>
    new UserError(exitCodes.badConfiguration, {
      message: `archive directory "${path}" cannot be used`,
      detail,
      hint: "choose another place with --config-archive-dir",
    });
  if (facts.kind === "absent") {
    return guard(`unable to make archive directory "${path}"`, () => makeDirectory(path, DIRECTORY_MODE));
  }
  if (facts.kind !== "directory") throw refuse("it is not a directory");
  const expected = parent.kind === "directory" ? join(parent.realPath, relative(dirname(path), path)) : path;
  if (facts.realPath !== expected) throw refuse("it is a symbolic link");
  if (facts.ownerId !== (currentUserId() ?? facts.ownerId)) throw refuse("it belongs to another user");
}

/** False when there is nothing to copy. */
async function copy(from: string, to: string): Promise<boolean> {
  const content = await read(from);
  if (content !== null) await replaceFile(to, Buffer.from(content, "latin1"), FILE_MODE);
  return content !== null;
}

/** As a Latin-1 image of the bytes, so that any encoding survives. */
async function read(path: string): Promise<string | null> {
  try {
    return await readFileIfThere(path, "latin1");
  } catch (error) {
    if (systemCode(error) === "EISDIR") return null;
    throw error;
  }
}

async function guard(message: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (systemCode(error) === null) throw error;
    throw new UserError(exitCodes.badConfiguration, { message, detail: describeFailure(error) }, error);
  }
}
