import { posix } from "node:path";
import type { Files } from "../system/files.js";

export interface ConfigurationSearch {
  /** The argument of `-f`; null without. */
  readonly explicitFile: string | null;
  readonly workingDirectory: string;
  /** `PWD`, which keeps symbolic links that the user walked through; undefined if the shell did not set it. */
  readonly shellDirectory: string | undefined;
}

/** Looked at after `./repmgr.conf`, in this order. */
const SYSTEM_FILES = [
  "/etc/repmgr.conf",
  "/usr/local/etc/repmgr.conf",
  "/etc/postgresql-common/repmgr.conf",
] as const;

/**
 * The absolute path of the configuration file; null when `-f` was not given and there is none in the usual places.
 * With `-f` nothing is searched and the file need not exist.
 */
export function findConfigurationFile(search: ConfigurationSearch, files: Files): string | null {
  const directory = currentDirectory(search, files);
  if (search.explicitFile !== null) return posix.resolve(directory, search.explicitFile);
  const candidates = [posix.join(directory, "repmgr.conf"), ...SYSTEM_FILES];
  return candidates.find((path) => files.exists(path)) ?? null;
}

/** `PWD` may be inherited from a process that stood elsewhere, so it counts only if it means the same directory. */
function currentDirectory({ workingDirectory, shellDirectory }: ConfigurationSearch, files: Files): string {
  if (shellDirectory?.startsWith("/") !== true) return workingDirectory;
  const shell = files.realPath(shellDirectory);
  const real = files.realPath(workingDirectory);
  return shell.ok && real.ok && shell.value === real.value ? shellDirectory : workingDirectory;
}
