import { join } from "node:path";
import type { Settings } from "../config/settings-table.js";
import { describeFailure, isWritableDirectory, makeDirectory } from "../system/directories.js";

export type StateDirectory =
  | { readonly kind: "found"; readonly path: string }
  /** Nothing can be remembered over a restart of the daemon. */
  | { readonly kind: "missing"; readonly reason: string };

/** Ours when the package or the administrator made it for us. */
const SYSTEM_DIRECTORY = "/var/lib/tsrepmgr";

/**
 * The directory for what a daemon must remember: `state_directory`, else the system's, else one of this user. Outside
 * the data directory, because a clone would inherit it and a rewind overwrite it.
 */
export async function findStateDirectory(
  { state_directory, data_directory }: Pick<Settings, "state_directory" | "data_directory">,
  environment: {
    readonly variables: Readonly<Record<string, string | undefined>>;
    readonly homeDirectory: string;
  },
): Promise<StateDirectory> {
  if (state_directory !== "") {
    const isInside = `${state_directory}/`.startsWith(`${data_directory.replace(/\/+$/, "")}/`);
    if (data_directory !== "" && isInside)
      return { kind: "missing", reason: `"state_directory" "${state_directory}" lies in the data directory` };
    return prepare(state_directory);
  }
  if (await isWritableDirectory(SYSTEM_DIRECTORY)) return { kind: "found", path: SYSTEM_DIRECTORY };
  const { variables, homeDirectory } = environment;
  const base = variables["XDG_STATE_HOME"] ?? join(homeDirectory, ".local/state");
  return prepare(join(base, "tsrepmgr"));
}

async function prepare(path: string): Promise<StateDirectory> {
  if (await isWritableDirectory(path)) return { kind: "found", path };
  try {
    await makeDirectory(path, 0o700);
    return { kind: "found", path };
  } catch (error) {
    return { kind: "missing", reason: describeFailure(error) };
  }
}
