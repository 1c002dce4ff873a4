import { describeFailure, systemCode } from "../system/directories.js";
import type { Runtime } from "./runtime.js";

/** Sees to it that what this daemon has promised stays on disk while it runs. */
export interface MemoryKeeper {
  turn(): Promise<void>;
}

/** Whoever removes the state file takes nothing from a daemon that runs: it knows what was in it. */
export function createMemoryKeeper({ context, memory }: Pick<Runtime, "context" | "memory">): MemoryKeeper {
  const { reporter } = context;
  let toldReason: string | null = null;
  const keep = async (): Promise<boolean> => {
    try {
      return await memory.keep();
    } catch (error) {
      if (systemCode(error) === null) throw error;
      const reason = describeFailure(error);
      if (toldReason !== reason)
        reporter.error(`state file "${memory.path ?? ""}" was lost and cannot be written again`, {
          detail: reason,
          hint: 'make "state_directory" writable for the user of this daemon: it gives no vote before',
        });
      toldReason = reason;
      return false;
    }
  };
  return {
    turn: async () => {
      const isWritten = await keep();
      if (memory.unkeptBecause !== null) return;
      if (isWritten)
        reporter.warning(
          `state file "${memory.path ?? ""}" was missing or not as it was left: written again`,
        );
      toldReason = null;
    },
  };
}
