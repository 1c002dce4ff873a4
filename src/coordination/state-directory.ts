import { join } from "node:path";
import type { Settings } from "../config/settings-table.js";
import { describeFailure, isWritableDirectory, makeDirectory } from "../system/directories.js";

export type StateDirectory =
  | { readonly kind: "found"; readonly path: string }
  /** Nothing can be remembered over a restart of the daemon. */
  | { readonly kind: "missing"; readonly reason: string };

/** Ours when the package or the administrator made it for us. */
const SYSTEM_DIRECTORY = "/var/lib/tsrepmgr";

type StateSettings = Pick<Settings, "state_directory" | "data_directory">;

interface StateEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
}

/**
 * The directory for what a daemon must remember: `state_directory`, else the system's, else one of this user; made when
 * it is not there. Outside the data directory, because a clone would inherit it and a rewind overwrite it.
 */
export async function findStateDirectory(
  settings: StateSettings,
  environment: StateEnvironment,
): Promise<StateDirectory> {
  const located = await locateStateDirectory(settings, environment);
  return located.kind === "found" ? prepare(located.path) : located;
}

/** Where it is or would be; changes nothing. */
export async function locateStateDirectory(
  { state_directory, data_directory }: StateSettings,
  { variables, homeDirectory }: StateEnvironment,
): Promise<StateDirectory> {
  if (state_directory !== "") {
    const isInside = `${state_directory}/`.startsWith(`${data_directory.replace(/\/+$/, "")}/`);
    if (data_directory !== "" && isInside)
      return { kind: "missing", reason: `"state_directory" "${state_directory}" lies in the data directory` };
    return { kind: "found", path: state_directory };
  }
  if (await isWritableDirectory(SYSTEM_DIRECTORY)) return { kind: "found", path: SYSTEM_DIRECTORY };
  const base = variables["XDG_STATE_HOME"] ?? join(homeDirectory, ".local/state");
  return { kind: "found", path: join(base, "tsrepmgr") };
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
