import { join } from "node:path";
import type { DaemonState } from "../decide/watch-types.js";
import { readFileIfThere, removeFile } from "../system/directories.js";
import type { DaemonContext } from "./daemon-context.js";
import { armStandbySignal } from "./local-server.js";

/** `primary_starts_as_standby`: who starts this primary again does so read-only, until votes promote it back. */
export interface StandbyArming {
  /** Throws the file system's error. */
  keep(state: DaemonState): Promise<void>;
}

export function createStandbyArming(context: DaemonContext): StandbyArming {
  let hasArmed = false;
  return {
    keep: async ({ watch }) => {
      if (watch.role !== "primary" || watch.state.kind !== "leading") return;
      const { data_directory: directory, primary_starts_as_standby: isWanted } = context.settings();
      const path = join(directory, "standby.signal");
      if (!isWanted) {
        if (hasArmed) await removeFile(path);
        hasArmed = false;
        return;
      }
      if ((await readFileIfThere(path, "latin1")) === null) await armStandbySignal(context);
      hasArmed = true;
    },
  };
}
