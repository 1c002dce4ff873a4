import { removeFile } from "../system/directories.js";
import {
  GUARD_PROCESS_NAME,
  isGuardProcessAlive,
  startGuardProcess,
  writeKick,
} from "../postgres/guard-process.js";
import { findProcessesOf, signalProcess } from "../system/process-table.js";
import { readUptimeMs } from "../system/uptime.js";
import { describeNoteOwner, GUARD_NOTE_FILE } from "./guard-note.js";
import { findPostmaster } from "./local-server.js";
import type { Runtime } from "./runtime.js";

/** The dead-man process of this node, where the server cannot have a dead-man session. */
export interface GuardProcess {
  /** As of `PrimaryGuard`: true when it is there. */
  ensure(
    goodUntil: number,
    kick: {
      readonly timeline: number;
      readonly term: number;
      readonly isWritable: boolean;
      readonly isKick: boolean;
    },
  ): Promise<boolean>;
  release(): Promise<void>;
}

export function createGuardProcess(runtime: Omit<Runtime, "guard">): GuardProcess {
  const { context, memory } = runtime;
  const { clock, reporter } = context;
  const kickFile = memory.path?.replace(/\.json$/, ".kick") ?? null;
  let known: number | null = null;
  const find = async (file: string): Promise<number | null> => {
    const pids = known === null ? await findProcessesOf("sh", file) : [known];
    for (const pid of pids) if (await isGuardProcessAlive(pid, file)) return pid;
    return null;
  };
  return {
    ensure: async (goodUntil, { isKick, ...standing }) => {
      const uptimeMs = readUptimeMs();
      const left = goodUntil - clock.monotonic();
      if (kickFile === null || uptimeMs === null) return false;
      known = await find(kickFile);
      if (known !== null && !isKick) return true;
      await writeKick(kickFile, { goodUntil: uptimeMs + left, ...standing });
      if (known !== null) return true;
      const postmaster = await findPostmaster(context);
      if (postmaster === null) return false;
      known = await startGuardProcess({
        kickFile,
        postmaster,
        dataDirectory: context.settings().data_directory,
        noteFile: GUARD_NOTE_FILE,
        note: describeNoteOwner(runtime),
      });
      if (known !== null) reporter.info(`the dead-man process ${GUARD_PROCESS_NAME} was started`);
      return known !== null;
    },
    release: async () => {
      if (kickFile === null) return;
      for (const pid of await findProcessesOf("sh", kickFile)) signalProcess(pid, "SIGKILL");
      known = null;
      await removeFile(kickFile);
    },
  };
}
